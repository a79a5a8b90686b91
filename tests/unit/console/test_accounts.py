"""Tokens, digests and who is recognised."""

from __future__ import annotations

from streamal.console.accounts import LOCAL, Account, Accounts, digest, new_token


def test_a_token_is_recognised_by_its_digest_alone() -> None:
    token, other = new_token(), new_token()
    ana, ben = Account("ana", "reviewer", digest(token)), Account("ben", "lead", digest(other))
    accounts = Accounts([ana, ben])

    assert token != other
    assert accounts.recognise(f"  {token}\n") == ana
    assert accounts.recognise(other) == ben
    assert accounts.recognise(digest(token)) is None
    assert accounts.recognise("") is None
    assert accounts.find("ben") == ben
    assert accounts.find("local") is None
    assert not accounts.open


def test_without_accounts_there_is_one_for_this_machine() -> None:
    accounts = Accounts([])

    assert accounts.open
    assert accounts.find(LOCAL.name) == LOCAL
    assert accounts.find("ana") is None
    assert accounts.recognise("") is None


def test_what_roles_may_do() -> None:
    assert not Account("v", "viewer").reviews
    assert Account("r", "reviewer").reviews
    assert not Account("r", "reviewer").leads
    assert Account("l", "lead").leads
    assert Account("l", "lead").reviews
