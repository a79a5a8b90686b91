"""Following the `models` topic: the newest verified snapshot, and how the human side is doing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streamal.core.learners import Model
from streamal.errors import SnapshotRefused, StreamalError
from streamal.events import Heartbeat, QualityReport, SnapshotHeader
from streamal.ports import Broker, Clock, Consumer, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.loop import CATCH_UP_POLL_SECONDS
from streamal.roles.responses import Standing, in_force
from streamal.state.snapshots import Snapshot, SnapshotAssembler, load
from streamal.telemetry.metrics import Metrics

__all__ = ["ModelFollower", "ServingModel", "SnapshotReader", "show_model", "show_snapshot"]

_log = logging.getLogger(__name__)

#: A snapshot's chunks come one a record; this many are read at a time.
_BATCH_RECORDS = 100
#: Seconds between two looks at the topic: a model is at most this much older than it need be.
_FOLLOW_INTERVAL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The online model that a gate asks.

    Attributes:
        version: of the snapshot it came from; 0 is a model that has learned nothing.
        model: the model.
    """

    version: int
    model: Model


def show_model(
    metrics: Metrics, role: str, *, version: int, created_at: float, labels: int
) -> None:
    """Export which model a role works with; `created_at` in seconds since the epoch."""
    metrics.model_version.labels(role=role).set(version)
    metrics.model_created.labels(role=role).set(created_at)
    metrics.model_labels.labels(role=role).set(labels)


def show_snapshot(metrics: Metrics, role: str, header: SnapshotHeader) -> None:
    """Export that a role works with the model of this snapshot."""
    show_model(
        metrics,
        role,
        version=header.version,
        created_at=header.created_at.timestamp(),
        labels=header.labels_learned,
    )


class SnapshotReader:
    """Reads the one partition of the `models` topic and keeps the newest of everything on it.

    Args:
        broker: the log.
        topic: the `models` topic.
        new_assembler: makes an empty assembler with the verification keys.
        metrics: counts refused snapshots.
        role: which role reads, for the counts.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str,
        new_assembler: Callable[[], SnapshotAssembler],
        metrics: Metrics,
        role: str,
    ) -> None:
        self._broker = broker
        self._role = role
        self._source = TopicPartition(topic, 0)
        self._assembler = new_assembler()
        self._metrics = metrics
        self._consumer: Consumer | None = None
        self.snapshot: Snapshot | None = None
        self.heartbeat: Heartbeat | None = None
        #: Why the newest snapshot was refused; None when it was not.
        self.refusal: str | None = None

    @property
    def memory(self) -> bytes | None:
        """What the watch for drift remembers; None before it was first written."""
        return self._assembler.memory

    def catch_up(self) -> None:
        """Read to the end of the topic as it is now."""
        consumer = self._open()
        end = consumer.end_offsets([self._source])[self._source]
        while consumer.position(self._source) < end:
            self.follow(CATCH_UP_POLL_SECONDS)

    def follow(self, timeout_seconds: float = 0.0) -> None:
        """Read what has come since."""
        for record in self._poll(timeout_seconds):
            try:
                found = self._assembler.feed(record)
            except SnapshotRefused as refused:
                self._metrics.snapshots_refused.labels(role=self._role).inc()
                _log.error("refused: %s", refused)
                if record.key is not None and record.key.endswith(b"/header"):
                    self.refusal = str(refused)
                continue
            if isinstance(found, Heartbeat):
                self.heartbeat = found
            elif found is not None:
                self.snapshot, self.refusal = found, None
                self.heartbeat = found.header.heartbeat

    def close(self) -> None:
        """Free the connection."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _poll(self, timeout_seconds: float) -> list[Record]:
        """A failed poll may have passed over records; the assembler knows which it has seen."""
        try:
            return self._open().poll(timeout_seconds, _BATCH_RECORDS)
        except StreamalError:
            close_all(self.close)
            raise

    def _open(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._broker.consumer()
            self._consumer.assign([self._source])
            first = self._consumer.beginning_offsets([self._source])[self._source]
            self._consumer.seek(self._source, first)
        return self._consumer


class ModelFollower:
    """Keeps the model that a gate serves; swaps it between two batches, never within one.

    Args:
        reader: reads the topic.
        new_model: makes a model that has learned nothing, to serve until the first snapshot.
        clock: paces the look-ups.
        metrics: shows version and age.
    """

    def __init__(
        self,
        reader: SnapshotReader,
        new_model: Callable[[], Model],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._metrics = metrics
        self._due = 0.0
        self._loaded: Snapshot | None = None
        self.serving = ServingModel(0, new_model())

    @property
    def pending(self) -> int | None:
        """Reviews without an answer, as the trainer last counted them; None before it has."""
        heartbeat = self._reader.heartbeat
        return None if heartbeat is None else heartbeat.pending

    @property
    def quality(self) -> QualityReport | None:
        """How well production and the online model are doing; None before the trainer knows."""
        heartbeat = self._reader.heartbeat
        return None if heartbeat is None else heartbeat.quality

    @property
    def segments(self) -> Mapping[str, Sequence[str]]:
        """Key to the values that the trainer has given a name."""
        heartbeat = self._reader.heartbeat
        return {} if heartbeat is None else heartbeat.segments

    def standing(self, now: float) -> Standing:
        """What is done about drift at `now` (epoch seconds), as the trainer last said."""
        heartbeat = self._reader.heartbeat
        return Standing() if heartbeat is None else in_force(heartbeat.responses, now)

    def start(self) -> None:
        """Serve the newest model there is."""
        self._reader.catch_up()
        self._metrics.model_version.labels(role="gate").set(self.serving.version)
        self._swap()

    def follow(self) -> None:
        """Serve a newer model if one has come."""
        now = self._clock.now()
        if now >= self._due:
            self._due = now + _FOLLOW_INTERVAL_SECONDS
            self._reader.follow()
            self._swap()

    def close(self) -> None:
        """Free the connection."""
        self._reader.close()

    def _swap(self) -> None:
        snapshot = self._reader.snapshot
        if snapshot is None or snapshot is self._loaded:
            return
        self._loaded = snapshot
        try:
            model = load(snapshot, Model)  # type: ignore[type-abstract]  # for isinstance
        except SnapshotRefused as refused:
            self._metrics.snapshots_refused.labels(role="gate").inc()
            _log.error("refused; serving on with version %d: %s", self.serving.version, refused)
            return
        self.serving = ServingModel(snapshot.header.version, model)
        show_snapshot(self._metrics, "gate", snapshot.header)
        _log.info(
            "serving model version %d with %d labels",
            snapshot.header.version,
            snapshot.header.labels_learned,
        )
