"""What of a batch of labels has not been reported yet."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.errors import Reject
from streamal.state.verdicts import Answer, Effect, Rejected, Verdict

__all__ = ["USELESS", "News"]

#: Answers that nothing can be done with; they become dead letters.
USELESS = {
    Verdict.UNKNOWN: "no review was requested for this event, and the label carries no features",
    Verdict.LATE: "the review had expired",
    Verdict.DISMISSED: "a lead has dismissed this annotator",
}


@dataclass(frozen=True, slots=True)
class News:
    """Records at or past G, and what follows from them.

    Attributes:
        answers: what was read.
        rejects: what could not be read or learned.
        effects: what people are to be told.
    """

    answers: tuple[Answer, ...] = ()
    rejects: tuple[Rejected, ...] = ()
    effects: tuple[Effect, ...] = ()

    def dead_letters(self) -> list[Rejected]:
        """Everything that could not be used, with its reason."""
        useless = [
            Rejected(
                answer.record,
                Reject(f"{answer.verdict.value}_label", f"label: {USELESS[answer.verdict]}"),
            )
            for answer in self.answers
            if answer.verdict in USELESS
        ]
        return [*self.rejects, *useless]
