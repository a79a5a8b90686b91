"""Labels in: what Label Studio says now, compared with what was published, published.

The project is read from where the last reading ended, some seconds before: Label Studio stamps a
change before it commits it, so changes can appear behind newer ones. Reading a task twice changes
nothing, since an answer that is published is no news.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from streamal.connectors.label_studio.answers import answers, news
from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.connectors.label_studio.documents import Task
from streamal.connectors.label_studio.mirror import ORIGIN_HEADER, Mirror
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.connectors.label_studio.project import Workplace
from streamal.connectors.label_studio.webhook import Bell
from streamal.events import LabelEvent
from streamal.ports import Clock, TransactionalProducer
from streamal.telemetry.metrics import Metrics

__all__ = ["Collector"]

#: Mark: changes before this moment, by Label Studio's clock, are published.
_READ_UNTIL: Final = "read_until"
#: The one format that its filters read.
_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
#: Longer than Label Studio takes from stamping a change to committing it, a bulk action included.
_OVERLAP: Final = timedelta(seconds=30)
#: Shortest time between two looks, however often the bell rings.
_MIN_PAUSE_SECONDS: Final = 1.0


class Collector:
    """Publishes the answers of one project.

    Args:
        client: of Label Studio.
        workplace: the project.
        mirror: what was published.
        options: settings.
        producer: of labels; its transactional id is the bridge's alone.
        bell: rung by webhooks.
        clock: time of day.
        metrics: counts.
    """

    def __init__(
        self,
        client: LabelStudioClient,
        workplace: Workplace,
        mirror: Mirror,
        options: BridgeOptions,
        producer: TransactionalProducer,
        bell: Bell,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._workplace = workplace
        self._mirror = mirror
        self._producer = producer
        self._options = options
        self._bell = bell
        self._clock = clock
        self._metrics = metrics
        self._people: dict[int, str] = {}
        self._pages: Iterator[tuple[Task, ...]] | None = None
        self._reached: datetime | None = None
        self._next_look = 0.0
        self._rung = False

    def step(self) -> None:
        """Handle the next page of changes, if it is time to look or there is one left."""
        self._rung = self._bell.heard() or self._rung
        if self._pages is None and self._is_time():
            self._look()
        if self._pages is not None:
            page = next(self._pages, None)
            if page is None:
                self._finish()
            else:
                self._publish([label for task in page for label in self._news(task)])

    def _is_time(self) -> bool:
        wait = self._options.poll_seconds - _MIN_PAUSE_SECONDS
        return self._clock.now() >= self._next_look + (0 if self._rung else max(0.0, wait))

    def _look(self) -> None:
        self._rung = False
        self._next_look = self._clock.now() + _MIN_PAUSE_SECONDS
        # Asked before the pages are: what changes while they are read comes up again.
        latest = self._client.latest_change(self._workplace.project_id)
        if latest is None:
            self._finish()
            return
        self._reached = latest.updated_at - _OVERLAP
        self._pages = self._client.tasks(
            self._workplace.project_id, changed_after=self._mirror.mark(_READ_UNTIL)
        )

    def _finish(self) -> None:
        if self._reached is not None:
            self._mirror.set_mark(_READ_UNTIL, self._reached.strftime(_TIME))
        self._pages = self._reached = None
        self._metrics.label_studio_polled.set(self._clock.now())

    def _news(self, task: Task) -> list[LabelEvent]:
        event_id = task.event_id
        if event_id is None or not self._mirror.knows(event_id):
            return []
        known = self._mirror.task_of(event_id)
        if known is None:
            # Of an import whose outcome is not in the file yet.
            self._mirror.link({event_id: task.id})
        elif known != task.id:
            return []
        given = answers(task.annotations, self._workplace.interface, self._name)
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        return news(event_id, given, self._mirror.published(event_id), now)

    def _name(self, person: int | None) -> str:
        """What labels call a user of Label Studio: the e-mail address they sign in with."""
        if person is None:
            return "label-studio"
        if person not in self._people:
            self._people = self._client.people()
        return self._people.get(person) or f"label-studio-{person}"

    def _publish(self, labels: Sequence[LabelEvent]) -> None:
        """All or none; the file follows, and is put right from the topic if it does not get to."""
        if not labels:
            return
        origin = ((ORIGIN_HEADER, str(self._workplace.project_id).encode()),)
        self._producer.begin()
        for label in labels:
            self._producer.send(
                self._options.topics.labels,
                label.to_bytes(),
                key=label.event_id.encode(),
                headers=origin,
            )
        self._producer.commit()
        for label in labels:
            revised = label.annotator in self._mirror.published(label.event_id)
            outcome = _outcome(label, revised=revised)
            self._metrics.label_studio_answers.labels(outcome=outcome).inc()
        self._mirror.remember(labels)


def _outcome(label: LabelEvent, *, revised: bool) -> str:
    if label.withdrawn:
        return "withdrawn"
    if revised:
        return "revised"
    if label.skip:
        return "skip"
    return "unsure" if label.unsure else "label"
