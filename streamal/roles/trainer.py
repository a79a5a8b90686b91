"""The trainer: one leader learns, standbys keep the join warm and wait.

Leadership is membership of a group on the one-partition `models` topic; the leader's transactions
carry its generation, so one that was expelled can't write (docs/decisions/0004).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from streamal.errors import Retriable, StreamalError
from streamal.ports import Broker, Clock, Consumer, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.lead import Lead
from streamal.roles.quality import Quality
from streamal.roles.review_view import ReviewView
from streamal.state.pending import PendingView
from streamal.telemetry.metrics import Metrics

__all__ = ["TrainerRole"]

_log = logging.getLogger(__name__)

#: The leader's part in a rebalance is done inside of its poll, which needs some time for that; with
#: none at all it would be expelled from a group that it still leads.
_LEADER_POLL_SECONDS = 0.1
#: While labels wait, seconds between two of these polls: each is a wait that they would have to sit
#: out. A rebalance waits much longer for its members.
_BUSY_LEADER_POLL_EVERY_SECONDS = 1.0


class TrainerRole:
    """See the module docstring.

    Args:
        broker: the log.
        group: the group whose one assigned member leads.
        models_topic: the one-partition topic that is assigned to the leader.
        open_pending: opens the SQLite view.
        open_view: opens its feed from the log.
        new_lead: takes over the lineage; called on becoming leader.
        poll_timeout_seconds: longest wait for records in a step.
        clock: time of day.
        metrics: counts.
    """

    name = "trainer"

    def __init__(
        self,
        *,
        broker: Broker,
        group: str,
        models_topic: str,
        open_pending: Callable[[], PendingView],
        open_view: Callable[[PendingView], ReviewView],
        new_lead: Callable[[ReviewView, Consumer], Lead],
        poll_timeout_seconds: float,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._clock = clock
        self._broker = broker
        self._group = group
        self._models_topic = models_topic
        self._open_pending = open_pending
        self._open_view = open_view
        self._new_lead = new_lead
        self._poll_timeout_seconds = poll_timeout_seconds
        self._metrics = metrics
        self._pending: PendingView | None = None
        self._view: ReviewView | None = None
        self._election: Consumer | None = None
        self._elected = False
        self._lead: Lead | None = None
        self._polled_at = 0.0

    @property
    def quality(self) -> Quality | None:
        """How well production is doing, as the leader knows; None while this one doesn't lead."""
        return None if self._lead is None else self._lead.quality

    def start(self) -> None:
        """Open the view and stand for election."""
        if self._pending is None:
            self._pending = self._open_pending()
        if self._view is None:
            self._view = self._open_view(self._pending)
        if self._election is None:
            self._election = self._stand_for_election()
        self._metrics.leader.set(0)

    def _stand_for_election(self) -> Consumer:
        election = self._broker.consumer(group=self._group)
        try:
            election.subscribe(
                [self._models_topic], on_assigned=self._on_assigned, on_revoked=self._on_revoked
            )
        except StreamalError:
            close_all(election.close)
            raise
        return election

    def step(self) -> None:
        """Stand for election, and lead if elected.

        Raises:
            Retriable: nothing was committed; call `recover`, then step again.
        """
        view, election = self._started()
        if not self._is_busy():
            election.poll(self._election_timeout(), 1)
            self._polled_at = self._clock.now()
        if not self._elected:
            view.follow(0.0)
            return
        if self._lead is None:
            _log.info("leading the trainers of group %s", self._group)
            self._lead = self._new_lead(view, election)
            self._metrics.leader.set(1)
        view.follow(0.0)
        self._lead.step(self._poll_timeout_seconds)

    def recover(self, error: Retriable) -> None:
        """Forget the model in memory; the next step takes the lineage up from the log again."""
        _log.debug("recovering from %s", error)
        if self._lead is not None:
            self._metrics.transactions.labels(role="trainer", outcome="aborted").inc()
        self._drop_lead()
        if self._view is not None:
            self._view.resume()

    def close(self) -> None:
        """Publish what was learned, hand over the leadership and close the view."""
        if self._lead is not None:
            close_all(self._lead.finish)
        self._drop_lead()
        parts = (self._election, self._view, self._pending)
        self._election = self._view = self._pending = None
        close_all(*(part.close for part in parts if part is not None))

    def _election_timeout(self) -> float:
        """A leader has labels to wait for; a standby waits for its election."""
        if self._elected:
            return min(_LEADER_POLL_SECONDS, self._poll_timeout_seconds)
        return self._poll_timeout_seconds

    def _is_busy(self) -> bool:
        """Whether labels wait for this leader, who has looked after its membership just now."""
        if self._lead is None or not self._lead.is_behind:
            return False
        return 0 <= self._clock.now() - self._polled_at < _BUSY_LEADER_POLL_EVERY_SECONDS

    def _started(self) -> tuple[ReviewView, Consumer]:
        if self._view is None or self._election is None:
            raise RuntimeError("the trainer was not started")
        return self._view, self._election

    def _on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        if partitions and self._election is not None:
            self._election.pause(partitions)
            self._elected = True

    def _on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        if partitions:
            self._elected = False
            self._drop_lead()

    def _drop_lead(self) -> None:
        lead, self._lead = self._lead, None
        self._metrics.leader.set(0)
        if lead is not None:
            self._metrics.forget_leadership()
            lead.close()
