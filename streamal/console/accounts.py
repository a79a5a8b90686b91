"""Who may do what, and how they prove who they are. Imports no web framework.

Tokens are drawn, not chosen, so a plain digest of one is as hard to turn back as the token is to
guess; a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["LOCAL", "Account", "Accounts", "RoleName", "digest", "new_token"]

RoleName: TypeAlias = Literal["reviewer", "lead", "viewer"]

#: 256 bits, as text that survives being mailed and pasted.
_TOKEN_BYTES: Final = 32


def new_token() -> str:
    """A token that nobody has seen yet."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(token: str) -> str:
    """What the settings hold of a token: `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Account:
    """One person.

    Attributes:
        name: the annotator on their labels.
        role: what they may do.
        token_hash: `digest` of their token.
    """

    name: str
    role: RoleName
    token_hash: str = ""

    @property
    def reviews(self) -> bool:
        """Whether they may answer."""
        return self.role != "viewer"

    @property
    def leads(self) -> bool:
        """Whether they may adjudicate and see everybody's answers."""
        return self.role == "lead"


#: Who sits at a console without accounts, which only this machine can reach.
LOCAL: Final = Account("local", "lead")


class Accounts:
    """Everybody who may sign in.

    Args:
        accounts: with distinct names; none lets `LOCAL` in without a token.
    """

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_name = {account.name: account for account in accounts}

    @property
    def open(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self._by_name

    def find(self, name: str) -> Account | None:
        """The account of this name, as the settings have it now."""
        return LOCAL if self.open and name == LOCAL.name else self._by_name.get(name)

    def recognise(self, token: str) -> Account | None:
        """Whose token this is; every account is compared, so that time tells nothing."""
        given = digest(token.strip())
        found = None
        for account in self._by_name.values():
            if hmac.compare_digest(given, account.token_hash):
                found = account
        return found
