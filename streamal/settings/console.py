"""The built-in review console: where it listens, who may use it, and how reviewing goes."""

from __future__ import annotations

import ipaddress
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from streamal.settings.common import Names, Section

__all__ = [
    "AccountSettings",
    "ConsoleSettings",
]


class AccountSettings(Section):
    """One person who may sign in.

    Attributes:
        name: the annotator on their labels.
        role: `reviewer` answers, `lead` also adjudicates and sees everybody's answers, `viewer`
            only looks.
        token_hash: what `streamal console token` printed beside their token.
    """

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    role: Literal["reviewer", "lead", "viewer"] = "reviewer"
    token_hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")


class ConsoleSettings(Section):
    """The review console (`streamal[console]`).

    Attributes:
        enabled: whether `streamal run --role all` runs it.
        host: address that it listens on; anything but this machine's own needs accounts.
        port: its port; 0 picks a free one.
        allowed_hosts: names by which browsers reach it, without port; empty accepts those of this
            machine while it listens there, and any name otherwise.
        secure_cookies: whether it is reached over HTTPS (through a proxy) alone.
        accounts: who may sign in; empty lets everybody on this machine in, as a lead.
        state_path: SQLite file with answers that are not published yet, the queue and the audit;
            one for each console, and worth a backup.
        blind_review: whether reviewers are not told that an item came by exploration.
        hide_prediction: whether reviewers don't see what production and the model said.
        lease_seconds: how long an item stays with the reviewer who opened it.
        undo_seconds: how long an answer is held back, so that undoing leaves no trace.
        session_seconds: how long a sign-in lasts.
        login_attempts_per_minute: failed sign-ins from one address before it has to wait.
        max_batch_records: most records handled in one step.
        poll_timeout_seconds: longest wait for records; answers wait at most as long for theirs.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8484, ge=0, le=65_535)
    allowed_hosts: Names = ()
    secure_cookies: bool = False
    accounts: tuple[AccountSettings, ...] = ()
    state_path: Path = Path("streamal-console.sqlite3")
    blind_review: bool = True
    hide_prediction: bool = False
    lease_seconds: float = Field(default=300, gt=0)
    undo_seconds: float = Field(default=10, ge=0, le=3600)
    session_seconds: float = Field(default=12 * 3600, gt=0)
    login_attempts_per_minute: int = Field(default=10, ge=1)
    max_batch_records: int = Field(default=1000, ge=1, le=100_000)
    poll_timeout_seconds: float = Field(default=0.5, gt=0, le=60)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not self.accounts and not self.is_local:
            raise PydanticCustomError(
                "open_console",
                "host = {host} lets other machines in, which needs accounts "
                "(streamal console token); without any, only 127.0.0.1, ::1 or localhost",
                {"host": repr(self.host)},
            )
        for name, count in Counter(account.name for account in self.accounts).items():
            if count > 1:
                raise PydanticCustomError(
                    "shared_account",
                    "accounts: {count} of them are called {name}; each needs a name of its own",
                    {"count": count, "name": repr(name)},
                )
        return self
