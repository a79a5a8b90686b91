"""Reviews out: each becomes one task, whatever crashes or goes unanswered in between.

An import has no name by which Label Studio could know it again. So before one is sent, the file
says that one is under way; whoever finds that note waits until the request can't take effect any
more, and then looks which tasks are there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.connectors.label_studio.documents import Task
from streamal.connectors.label_studio.mirror import Fate, Mirror, Waiting
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.connectors.label_studio.project import Workplace
from streamal.connectors.label_studio.tasks import task_document
from streamal.errors import LabelStudioRefused
from streamal.ports import Clock
from streamal.telemetry.metrics import Metrics

__all__ = ["Importer"]

_log = logging.getLogger(__name__)

#: Mark: when the import was begun whose outcome is not in the file yet.
_UNDER_WAY: Final = "import_under_way"


class Importer:
    """Sends reviews to one project.

    Args:
        client: of Label Studio.
        workplace: the project.
        mirror: what is a task already.
        options: settings.
        clock: time of day.
        metrics: counts.
    """

    def __init__(
        self,
        client: LabelStudioClient,
        workplace: Workplace,
        mirror: Mirror,
        options: BridgeOptions,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._workplace = workplace
        self._mirror = mirror
        self._options = options
        self._clock = clock
        self._metrics = metrics

    def step(self) -> None:
        """Send the next batch, if there is one and Label Studio has room for it."""
        now = self._clock.now()
        self._count("late", self._mirror.expire(now))
        if self._options.remove_expired:
            self._remove_expired(now)
        if self._settled(now):
            self._import(now)
        self._metrics.label_studio_open.set(self._mirror.open_tasks(now))
        self._metrics.label_studio_waiting.set(self._mirror.waiting_reviews())

    def find_tasks(self) -> int:
        """Learn of the tasks that the file does not know; the number of reviews found among them.

        The file must have caught up with `reviews` before.
        """
        found: dict[str, int] = {}
        twice: list[Task] = []
        above = self._mirror.highest_task()
        for page in self._client.tasks(self._workplace.project_id, above_id=above):
            for task in page:
                if task.event_id is None or not self._mirror.knows(task.event_id):
                    continue
                first = found.get(task.event_id) or self._mirror.task_of(task.event_id)
                if first is None:
                    found[task.event_id] = task.id
                elif first != task.id:
                    twice.append(task)
        self._mirror.link(found)
        for task in twice:
            self._keep_one(task)
        return len(found)

    def _settled(self, now: float) -> bool:
        """Whether it is known what became of the last import."""
        begun = self._mirror.mark(_UNDER_WAY)
        if begun is None:
            return True
        if now < float(begun) + self._options.request_timeout_seconds:
            return False
        found = self.find_tasks()
        _log.info("an import was interrupted; %d of its tasks are there", found)
        self._mirror.set_mark(_UNDER_WAY, None)
        return True

    def _import(self, now: float) -> None:
        room = self._options.max_open_tasks - self._mirror.open_tasks(now)
        batch = (
            self._mirror.waiting(now, min(room, self._options.max_batch_tasks)) if room > 0 else []
        )
        if not batch:
            return
        self._mirror.set_mark(_UNDER_WAY, repr(now))
        try:
            self._client.import_tasks(self._workplace.project_id, self._documents(batch))
        except LabelStudioRefused:
            # Label Studio takes a batch whole or not at all; one bad task must not stop the rest.
            self._import_singly(batch)
        self._count("imported", self.find_tasks())
        self._mirror.set_mark(_UNDER_WAY, None)

    def _import_singly(self, batch: Sequence[Waiting]) -> None:
        for each in batch:
            try:
                self._client.import_tasks(self._workplace.project_id, self._documents([each]))
            except LabelStudioRefused as error:
                _log.error("event %s can't become a task: %s", each.event_id, error)
                self._mirror.settle([each.event_id], Fate.REFUSED)
                self._count("refused", 1)

    def _documents(self, batch: Sequence[Waiting]) -> list[dict[str, Any]]:
        return [
            task_document(
                each.review(),
                self._workplace.interface,
                hidden=self._options.hidden,
                preannotation=self._options.preannotation,
            )
            for each in batch
        ]

    def _keep_one(self, task: Task) -> None:
        """An event has a second task: a late effect of a request that was given up.

        The one that has an answer is kept, the first one if both or neither have.
        """
        event_id = task.event_id or ""
        first_id = self._mirror.task_of(event_id) or 0
        first = next(iter(self._client.tasks_by_id(self._workplace.project_id, [first_id])), None)
        if task.is_touched and not (first is not None and first.is_touched):
            self._mirror.link({event_id: task.id})
            unneeded = first
        else:
            unneeded = None if task.is_touched else task
        if unneeded is None:
            _log.warning("event %s has two answered tasks, %d counts", event_id, first_id)
            return
        self._client.delete_tasks(self._workplace.project_id, [unneeded.id])
        self._count("duplicate", 1)

    def _remove_expired(self, now: float) -> None:
        """Spare annotators what is too late to count; what someone has begun is left to them."""
        items = self._mirror.expired_tasks(now, self._options.max_batch_tasks)
        if not items:
            return
        tasks = self._client.tasks_by_id(
            self._workplace.project_id, [item.task_id for item in items]
        )
        untouched = [task.id for task in tasks if not task.is_touched]
        if untouched:
            self._client.delete_tasks(self._workplace.project_id, untouched)
        self._mirror.settle((item.event_id for item in items), Fate.EXPIRED)
        self._count("expired", len(untouched))

    def _count(self, outcome: str, number: int) -> None:
        self._metrics.label_studio_tasks.labels(outcome=outcome).inc(number)
