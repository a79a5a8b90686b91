"""Who is signed in, and who tries too often. Cookies hold a random key; the file its digest."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from streamal.console.accounts import LOCAL, Account, Accounts, digest
from streamal.ports import Clock
from streamal.state.durable import DurableFile

__all__ = ["RateLimit", "Session", "Sessions"]

_MINUTE: Final = 60.0
#: Addresses that are remembered at most; the ones that were quiet longest are forgotten first.
_MOST_ADDRESSES: Final = 10_000

#: A client that keeps no cookies opens one with every visit to a console without accounts.
_MOST_SESSIONS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser.

    Attributes:
        account: as the settings have it now.
        csrf: what every form of this session must carry.
    """

    account: Account
    csrf: str

    def accepts(self, csrf: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Opens, finds and ends sessions.

    Args:
        file: the console's.
        accounts: of the settings.
        clock: time of day.
        lifetime_seconds: how long a sign-in lasts.
    """

    def __init__(
        self, file: DurableFile, accounts: Accounts, clock: Clock, lifetime_seconds: float
    ) -> None:
        self._file = file
        self._accounts = accounts
        self._clock = clock
        self._lifetime_seconds = lifetime_seconds

    def open(self, account: Account) -> str:
        """Start a session; the cookie's value."""
        key, now = secrets.token_urlsafe(32), self._clock.now()
        with self._file.transaction():
            self._file.execute(
                "DELETE FROM sessions WHERE expires_at <= ? OR token_hash IN (SELECT token_hash "
                "FROM sessions ORDER BY expires_at DESC LIMIT -1 OFFSET ?)",
                (now, _MOST_SESSIONS - 1),
            )
            self._file.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
                (
                    digest(key),
                    account.name,
                    account.token_hash,
                    secrets.token_urlsafe(32),
                    now + self._lifetime_seconds,
                ),
            )
        return key

    def open_local(self) -> str:
        """Start a session at a console without accounts."""
        return self.open(LOCAL)

    def find(self, key: str) -> Session | None:
        """The session of a cookie; None when it ended or its account's token was changed."""
        rows = self._file.query(
            "SELECT name, account_hash, csrf FROM sessions WHERE token_hash = ? AND expires_at > ?",
            (digest(key), self._clock.now()),
        )
        account = self._accounts.find(rows[0][0]) if rows else None
        if account is None or account.token_hash != rows[0][1]:
            return None
        return Session(account, rows[0][2])

    def close(self, key: str) -> None:
        """End a session."""
        self._file.execute("DELETE FROM sessions WHERE token_hash = ?", (digest(key),))


class RateLimit:
    """Failed attempts within the last minute, by address. May be shared by threads.

    Args:
        clock: time of day.
        per_minute: how many are allowed.
    """

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def allows(self, address: str) -> bool:
        """Whether an address may try again."""
        with self._lock:
            recent = self._failures.get(address)
            if recent is None:
                return True
            while recent and recent[0] <= self._clock.now() - _MINUTE:
                recent.popleft()
            return len(recent) < self._per_minute

    def failed(self, address: str) -> None:
        """Count a failed attempt."""
        with self._lock:
            recent = self._failures.pop(address, None) or deque(maxlen=self._per_minute)
            recent.append(self._clock.now())
            self._failures[address] = recent
            while len(self._failures) > _MOST_ADDRESSES:
                del self._failures[next(iter(self._failures))]
