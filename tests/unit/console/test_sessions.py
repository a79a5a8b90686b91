"""Sessions survive a restart, and end with their account; attempts are counted by address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamal.clock import ManualClock
from streamal.console.accounts import Account, Accounts, digest
from streamal.console.schema import CONSOLE_SCHEMA
from streamal.console.sessions import RateLimit, Sessions
from streamal.state.database import Identity
from streamal.state.durable import DurableFile

ANA = Account("ana", "reviewer", digest("her token"))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[DurableFile]:
    made = DurableFile(
        tmp_path / "file",
        setting="console.state_path",
        identity=Identity("orders", "cluster"),
        schema=CONSOLE_SCHEMA,
        version=1,
    )
    yield made
    made.close()


def sessions(file: DurableFile, *accounts: Account) -> Sessions:
    return Sessions(file, Accounts(accounts), ManualClock(), 100.0)


def test_a_session_is_found_by_its_key_alone_also_after_a_restart(file: DurableFile) -> None:
    key = sessions(file, ANA).open(ANA)
    found = sessions(file, ANA).find(key)

    assert found is not None
    assert found.account == ANA
    assert found.accepts(found.csrf)
    assert not found.accepts("")
    assert not found.accepts("é")
    assert sessions(file, ANA).find(digest(key)) is None
    stored = file.query("SELECT token_hash FROM sessions")
    assert stored == [(digest(key),)]


def test_a_session_ends_with_the_account_its_token_or_its_role(file: DurableFile) -> None:
    key = sessions(file, ANA).open(ANA)
    promoted = Account("ana", "lead", ANA.token_hash)

    assert sessions(file).find(key) is None
    assert sessions(file, Account("ana", "reviewer", digest("new"))).find(key) is None
    found = sessions(file, promoted).find(key)
    assert found is not None
    assert found.account.leads
    sessions(file, ANA).close(key)
    assert sessions(file, ANA).find(key) is None


def test_a_session_of_the_open_console_ends_when_accounts_come(file: DurableFile) -> None:
    key = sessions(file).open_local()

    assert sessions(file).find(key) is not None
    assert sessions(file, ANA).find(key) is None


def test_clients_without_cookies_do_not_fill_the_file(
    file: DurableFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamal.console.sessions._MOST_SESSIONS", 3)
    opened = [sessions(file).open_local() for _ in range(10)]

    assert file.query("SELECT count(*) FROM sessions") == [(3,)]
    assert sessions(file).find(opened[-1]) is not None


def test_failures_are_counted_by_address_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamal.console.sessions._MOST_ADDRESSES", 2)
    clock = ManualClock()
    limit = RateLimit(clock, per_minute=2)
    limit.failed("a")
    assert limit.allows("a")
    limit.failed("a")
    assert not limit.allows("a")
    assert limit.allows("b")

    clock.advance(60)

    assert limit.allows("a")
    limit.failed("a")
    limit.failed("a")
    for address in "bc":
        limit.failed(address)
    assert limit.allows("a")  # forgotten: the least recent of too many
