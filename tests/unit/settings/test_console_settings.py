"""Who may reach the console is settled before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamal.errors import SettingsInvalid
from streamal.settings import load_settings

HASH = "sha256:" + "0" * 64
ACCOUNT = f'[[console.accounts]]\nname = "ana"\ntoken_hash = "{HASH}"\n'


def loaded(tmp_path: Path, text: str) -> object:
    path = tmp_path / "streamal.toml"
    path.write_text(text)
    return load_settings(path).console


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_accounts(tmp_path: Path, host: str) -> None:
    assert loaded(tmp_path, f'[console]\nhost = "{host}"\n').is_local  # type: ignore[attr-defined]  # it is settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "console.example"])  # noqa: S104 - refused
def test_other_machines_need_accounts(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"console: host = .* needs accounts"):
        loaded(tmp_path, f'[console]\nhost = "{host}"\n')
    assert loaded(tmp_path, f'[console]\nhost = "{host}"\n{ACCOUNT}')


def test_names_are_not_shared(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="2 of them are called 'ana'"):
        loaded(tmp_path, ACCOUNT + ACCOUNT)


def test_a_wrong_digest_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"token_hash = \(secret\)"):
        loaded(tmp_path, '[[console.accounts]]\nname = "ana"\ntoken_hash = "hunter2"\n')


def test_accounts_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_CONSOLE__ACCOUNTS", f'[{{"name": "a", "token_hash": "{HASH}"}}]')
    console = load_settings(None).console
    assert [(each.name, each.role) for each in console.accounts] == [("a", "reviewer")]
