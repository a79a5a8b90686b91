"""Settings of a bridge, as its parts take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamal.connectors.label_studio.labelling import Display
from streamal.connectors.label_studio.tasks import Preannotation
from streamal.events.topics import Topics

__all__ = ["BridgeOptions"]


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """Settings of a bridge.

    Attributes:
        topics: names.
        transactional_id: of its labels; a second bridge with the same one fences the first.
        title: of the project that is looked for, or made.
        project_id: of the project to use instead of looking for one.
        classes: what can be answered; of a project that exists, what must be among its choices.
        display: how features are shown that are not in the table.
        annotators_per_task: how many people a task of a new project is shown to.
        preannotation: whose answer is filled in beforehand.
        max_batch_tasks: most tasks in one import.
        max_open_tasks: tasks that wait for an answer before more reviews are sent over. What waits
            here still overtakes by priority; Label Studio serves tasks as they came.
        remove_expired: delete tasks that nobody answered in time.
        poll_seconds: time between two looks at the project when no webhook calls.
        request_timeout_seconds: longest time for a request; a request whose answer was lost is
            given this long to take effect before anybody looks what became of it.
        max_batch_records: most records read in one step.
        poll_timeout_seconds: longest wait for reviews in a step.
        retain_seconds: how long after its expiry a review is remembered.
        webhook_url: address to register in Label Studio; None for polling alone.
        webhook_secret: what its calls must carry; None lets everybody call.
    """

    topics: Topics
    transactional_id: str
    title: str
    project_id: int | None
    classes: tuple[str, ...]
    display: Mapping[str, Display] = field(default_factory=dict)
    annotators_per_task: int = 1
    preannotation: Preannotation = "production"
    max_batch_tasks: int = 100
    max_open_tasks: int = 1000
    remove_expired: bool = True
    poll_seconds: float = 30.0
    request_timeout_seconds: float = 30.0
    max_batch_records: int = 1000
    poll_timeout_seconds: float = 0.5
    retain_seconds: float = 30 * 86_400.0
    webhook_url: str | None = None
    webhook_secret: str | None = None

    @property
    def hidden(self) -> frozenset[str]:
        """Features that are not shown."""
        return frozenset(name for name, kind in self.display.items() if kind == "hidden")
