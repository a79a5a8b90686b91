"""What Label Studio's REST API answers with, as far as the bridge reads it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field

from streamal.events.base import UtcDatetime

__all__ = ["Annotation", "Page", "Person", "Project", "Region", "Task", "Webhook"]


class _Document(BaseModel):
    """What else a version of Label Studio sends is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


def _person_id(value: object) -> object:
    """People come as a number, or as an object where an endpoint expands them."""
    return value.get("id") if isinstance(value, dict) else value


def _text(value: object) -> object:
    """Other people's tasks may hold anything under that key."""
    return value if isinstance(value, str) else None


class Region(_Document):
    """One part of an annotation: what one control of the labelling interface holds.

    Attributes:
        from_name: name of the control.
        value: its content; keys depend on the kind of control.
    """

    from_name: str = ""
    value: dict[str, Any] = Field(default_factory=dict)


class Annotation(_Document):
    """What one person said about a task.

    Attributes:
        id: of the annotation.
        completed_by: id of the person; None when it was imported.
        was_cancelled: the person skipped the task.
        result: its regions.
        updated_at: when it was made or last edited.
    """

    id: int
    completed_by: Annotated[int | None, BeforeValidator(_person_id)] = None
    was_cancelled: bool = False
    result: tuple[Region, ...] = ()
    updated_at: UtcDatetime


class Task(_Document):
    """One item to label.

    Attributes:
        id: of the task.
        event_id: of the review it was made for; None for a task that is not the bridge's.
        updated_at: when anything about it last changed, its annotations included.
        annotations: those it has now.
        drafts: answers that were begun and not submitted.
    """

    id: int
    event_id: Annotated[str | None, BeforeValidator(_text)] = Field(
        default=None, validation_alias=AliasPath("data", "event_id")
    )
    updated_at: UtcDatetime
    annotations: tuple[Annotation, ...] = ()
    drafts: tuple[Any, ...] = ()

    @property
    def is_touched(self) -> bool:
        """Whether somebody has answered it, or begun to."""
        return bool(self.annotations or self.drafts)


class Page(_Document):
    """Some tasks."""

    tasks: tuple[Task, ...]


class Project(_Document):
    """A labelling project.

    Attributes:
        id: of the project.
        title: as people see it.
        label_config: its labelling interface, XML.
    """

    id: int
    title: str = ""
    label_config: str = ""


class Person(_Document):
    """A user of Label Studio."""

    id: int
    email: str = ""


class Webhook(_Document):
    """An address that Label Studio calls when something happens."""

    id: int
    url: str
    project: int | None = None
