"""From annotations to labels: what each person says about an event now, and what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import orjson

from streamal.connectors.label_studio.documents import Annotation
from streamal.connectors.label_studio.labelling import NOTE, UNSURE, Interface
from streamal.events import LabelEvent

__all__ = ["TAKEN_BACK", "Answer", "answers", "digest", "news"]

#: Digest of an answer that its annotator took back.
TAKEN_BACK = ""
_MAX_NOTE = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one annotator says.

    Attributes:
        label: the class; None in a regression, and without an answer.
        value: the number of a regression.
        unsure: they could not tell.
        skip: they passed the item on.
        note: their remark.
        given_at: when they said so.
    """

    label: str | None
    value: float | None
    unsure: bool
    skip: bool
    note: str | None
    given_at: datetime

    def digest(self) -> str:
        """Tells one answer from another, whenever they were given."""
        return _digest(self.label, self.value, self.unsure, self.skip, self.note)


def digest(label: LabelEvent) -> str:
    """The digest of the answer that a published label carries."""
    if label.withdrawn:
        return TAKEN_BACK
    return _digest(label.label, label.value, label.unsure, label.skip, label.note)


def _digest(*parts: object) -> str:
    return blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


def answers(
    annotations: Iterable[Annotation], interface: Interface, name: Callable[[int | None], str]
) -> dict[str, Answer]:
    """The answer of each annotator; of several annotations by one person, the newest counts.

    Args:
        annotations: all of one task.
        interface: of the project.
        name: what labels call a user.
    """
    found: dict[str, Answer] = {}
    for annotation in sorted(annotations, key=lambda each: (each.updated_at, each.id)):
        answer = _answer(annotation, interface)
        if answer is not None:
            found[name(annotation.completed_by)] = answer
    return found


def _answer(annotation: Annotation, interface: Interface) -> Answer | None:
    """None for an annotation that says nothing, as can be sent in without a required choice."""
    label: str | None = None
    value: float | None = None
    notes: list[str] = []
    for region in annotation.result:
        if region.from_name == interface.control and interface.kind == "choices":
            chosen = region.value.get("choices") or [None]
            label = None if chosen[0] is None else str(chosen[0])
        elif region.from_name == interface.control:
            number = region.value.get("number")
            value = float(number) if isinstance(number, int | float) else None
        elif region.from_name == NOTE:
            text = region.value.get("text") or []
            notes.extend([text] if isinstance(text, str) else map(str, text))
    note = "\n".join(notes)[:_MAX_NOTE] or None
    unsure = label == UNSURE
    skip = annotation.was_cancelled
    if unsure or skip:
        return Answer(None, None, unsure and not skip, skip, note, annotation.updated_at)
    if label is None and value is None:
        return None
    return Answer(label, value, unsure=False, skip=False, note=note, given_at=annotation.updated_at)


def news(
    event_id: str, given: Mapping[str, Answer], published: Mapping[str, str], now: datetime
) -> list[LabelEvent]:
    """The labels that make what is published say what is given, oldest first.

    Args:
        event_id: of the review.
        given: the present answer of each annotator.
        published: digest of the last label of each annotator.
        now: when answers that are gone count as taken back.
    """
    changed = [
        _label(event_id, annotator, answer)
        for annotator, answer in given.items()
        if published.get(annotator) != answer.digest()
    ]
    gone = [
        LabelEvent(event_id=event_id, annotator=annotator, labelled_at=now, withdrawn=True)
        for annotator, last in published.items()
        if annotator not in given and last != TAKEN_BACK
    ]
    return sorted(changed, key=lambda label: label.labelled_at) + gone


def _label(event_id: str, annotator: str, answer: Answer) -> LabelEvent:
    return LabelEvent(
        event_id=event_id,
        label=answer.label,
        value=answer.value,
        annotator=annotator,
        labelled_at=answer.given_at,
        note=answer.note,
        unsure=answer.unsure,
        skip=answer.skip,
    )
