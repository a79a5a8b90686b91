"""A pipeline on the memory broker whose reviews are annotated in a fake Label Studio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamal.bootstrap.label_studio import bridge_options
from streamal.connectors.label_studio.bridge import LabelStudioRole
from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.connectors.label_studio.mirror import Mirror
from streamal.connectors.label_studio.webhook import Bell
from streamal.errors import Retriable
from streamal.events import LabelEvent
from streamal.state.database import Identity
from streamal.telemetry import Metrics
from tests.support.studio_fake import LEGACY_TOKEN, FakeStudio
from tests.support.town import Town, merged
from tests.unit.connectors.label_studio.conftest import START, review

__all__ = ["ANN", "Office"]

ANN = "ann@example.com"


class Office:
    """A town whose reviews are annotated in a Label Studio."""

    def __init__(self, path: Path, *, labels: Any = None, **settings: Any) -> None:  # noqa: ANN401  any setting
        base = {
            "pipeline": {"name": "mail", "classes": ["ham", "spam"]},
            "labels": labels or {},
            "label_studio": {"poll_seconds": 1, "max_batch_tasks": 10},
        }
        self.town = Town(merged(base, {"label_studio": settings}))
        self.town.clock.advance(START.timestamp() - self.town.clock.now())
        self.studio = FakeStudio()
        self.path = path
        self.bell = Bell()
        self.metrics = Metrics("mail")
        self.role = self.new_role()

    def new_role(self) -> LabelStudioRole:
        """A bridge, as a new process would make it."""
        options = bridge_options(self.town.settings)
        return LabelStudioRole(
            broker=self.town.broker,
            client=LabelStudioClient("http://studio", LEGACY_TOKEN, 5, self.studio.transport()),
            options=options,
            open_mirror=lambda project: Mirror(self.path, Identity("mail", str(project))),
            bell=self.bell,
            webhooks=None,
            clock=self.town.clock,
            metrics=self.metrics,
        )

    def restart(self, *, lose_file: bool = False) -> None:
        """The bridge ends and starts again."""
        self.role.close()
        if lose_file:
            self.path.unlink()
        self.role = self.new_role()

    def ask(self, *event_ids: str, **fields: Any) -> None:  # noqa: ANN401  any field
        """A gate routes events."""
        for event_id in event_ids:
            self.town.writer.send(
                self.town.topics.reviews,
                review(event_id, **fields).to_bytes(),
                key=event_id.encode(),
            )

    def work(self, rounds: int = 4) -> None:
        """Steps two seconds apart; what passes by itself is recovered from."""
        for _ in range(rounds):
            try:
                self.role.step()
            except Retriable as error:
                self.recover(error)
            self.town.clock.advance(2)

    def recover(self, error: Retriable) -> None:
        """As the loop does, but not for ever."""
        for _ in range(5):
            try:
                self.role.recover(error)
            except Retriable as again:
                error = again
            else:
                return
        raise error

    def labels(self) -> list[tuple[str, str, str]]:
        """Event, annotator and what each published label says, in order."""
        records = self.town.read(self.town.topics.labels)
        return [_shown(LabelEvent.from_bytes(record.value)) for record in records]

    def count(self, name: str, **labels: str) -> float | None:
        """One sample of the bridge's metrics."""
        return self.metrics.value(f"streamal_label_studio_{name}", labels)


def _shown(label: LabelEvent) -> tuple[str, str, str]:
    flags = ("withdrawn", "skip", "unsure")
    word = next((flag for flag in flags if getattr(label, flag)), label.label)
    return label.event_id, label.annotator, word or ""
