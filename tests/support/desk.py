"""A review console on the memory broker, with requests made up and time moved by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamal.bootstrap.console import new_console
from streamal.console.accounts import digest
from streamal.errors import Retriable
from streamal.events import LabelEvent, ModelRef, ModelView, Output, ReviewRequest
from streamal.telemetry import Metrics
from tests.support.town import NO_WAIT, Town, merged

CLASSES = ("no", "yes")
#: Tokens of the accounts below.
TOKENS = {"ana": "token of ana", "ben": "token of ben", "lea": "token of lea", "vic": "of vic"}
ROLES = {"ana": "reviewer", "ben": "reviewer", "lea": "lead", "vic": "viewer"}
ACCOUNTS = [
    {"name": name, "role": ROLES[name], "token_hash": digest(token)}
    for name, token in TOKENS.items()
]


class ReviewDesk(Town):
    """A town with a console; nothing moves unless `step` is called."""

    def __init__(
        self,
        folder: Path,
        changes: Mapping[str, Any] | None = None,
        *,
        accounts: Sequence[Mapping[str, str]] = ACCOUNTS,
    ) -> None:
        defaults = {
            "pipeline": {"name": "orders", "classes": list(CLASSES)},
            "console": {
                "port": 0,
                "state_path": str(folder / "console.sqlite3"),
                "accounts": list(accounts),
                "poll_timeout_seconds": NO_WAIT,
                "undo_seconds": 5,
                "lease_seconds": 60,
            },
        }
        super().__init__(merged(defaults, changes or {}))
        self.metrics = Metrics("orders")
        self.role = new_console(self.pipeline(self.metrics))
        self._ticking: threading.Thread | None = None
        self.done = threading.Event()

    @property
    def address(self) -> str:
        """Where the pages are, without a slash at the end."""
        assert self.role.address is not None
        return self.role.address.rstrip("/")

    def ask(
        self,
        event_id: str,
        *,
        priority: float = 0.5,
        ttl: float = 3600.0,
        features: Mapping[str, Any] | None = None,
        **changes: Any,  # noqa: ANN401 - any field
    ) -> ReviewRequest:
        """A gate asks for a review."""
        now = self.clock.now()
        review = ReviewRequest.model_validate(
            {
                "event_id": event_id,
                "pipeline": "orders",
                "occurred_at": datetime.fromtimestamp(now - 3, UTC),
                "decided_at": datetime.fromtimestamp(now, UTC),
                "expires_at": datetime.fromtimestamp(now + ttl, UTC),
                "features": {"amount": float(len(event_id)), "country": "de"}
                | dict(features or {}),
                "prediction": Output(label="yes", probabilities={"no": 0.4, "yes": 0.6}),
                "model": ModelView(version=2, label="no", probabilities={"no": 0.7, "yes": 0.3}),
                "produced_by": ModelRef(name="scorer", version="7"),
                "score": 0.8,
                "strategy": "margin",
                "policy": "quantile",
                "threshold": 0.75,
                "propensity": 0.25,
                "reason": "above_threshold",
                "priority": priority,
                "expected_correct": 0.6,
                **changes,
            }
        )
        self.writer.send(self.topics.reviews, review.to_bytes(), key=event_id.encode())
        return review

    def step(self, times: int = 2) -> None:
        """Let the console work; an outage is recovered from as the loop does."""
        for _ in range(times):
            try:
                self.role.step()
            except Retriable as error:
                try:
                    self.role.recover(error)
                except Retriable:
                    return

    def pass_time(self, seconds: float) -> None:
        """Move the clock, then let the console work."""
        self.clock.advance(seconds)
        self.step()

    def tick(self) -> None:
        """From now on let the console work by itself, as fast as a browser needs it."""

        def work() -> None:
            while not self.done.is_set():
                self.step()
                time.sleep(0.02)

        self._ticking = threading.Thread(target=work, name="ticking")
        self._ticking.start()

    def caught_up(self) -> bool:
        """Whether the queue holds everything that is on its topics."""
        store = self.role._store
        if store is None:
            return False
        applied = store.items.offsets()
        for topic in (self.topics.reviews, self.topics.labels):
            records = list(self.read(topic))
            if records and applied.get(records[-1].source, 0) <= records[-1].offset:
                return False
        return True

    def labels(self) -> list[LabelEvent]:
        """All published answers."""
        return [LabelEvent.from_bytes(each.value) for each in self.read(self.topics.labels)]

    def close(self) -> None:
        """End in good order."""
        self.done.set()
        if self._ticking is not None:
            self._ticking.join(timeout=30)
        self.role.close()
        self.broker.close()
