"""Whose answers a pipeline takes: known annotators, and leads for what only leads may do."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.errors import Reject
from streamal.events import AnnotatorRuling, LabelEvent
from streamal.roles.rules import TaskRules

__all__ = ["LabelRules"]


@dataclass(frozen=True, slots=True)
class LabelRules:
    """A function of the record alone, so that every replay agrees.

    Attributes:
        task: what can be learned.
        annotators: who may answer; empty accepts anybody.
        leads: who may adjudicate and decide about annotators; empty accepts anybody. They may also
            answer.
    """

    task: TaskRules
    annotators: frozenset[str] = frozenset()
    leads: frozenset[str] = frozenset()

    def check(self, content: LabelEvent | AnnotatorRuling) -> None:
        """Turn away what does not count.

        Raises:
            Reject: `unknown_annotator`, `not_a_lead`, or a reason of the task.
        """
        if isinstance(content, AnnotatorRuling):
            self._check_lead("ruled_by", content.ruled_by)
            return
        known = self.annotators | self.leads
        if self.annotators and content.annotator not in known:
            raise Reject(
                "unknown_annotator",
                f"annotator: {content.annotator!r} is not one of labels.annotators",
            )
        if content.adjudicates:
            self._check_lead("annotator", content.annotator)
        self.task.check_label(content)

    def _check_lead(self, field: str, name: str) -> None:
        if self.leads and name not in self.leads:
            raise Reject("not_a_lead", f"{field}: {name!r} is not one of labels.leads")
