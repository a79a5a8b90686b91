"""Every error that streamal raises on purpose, and what to do about each.

The class carries the policy, so the loop that catches an error needs no list of cases::

    StreamalError
    ├── Reject                  policy reject: this event becomes a dead letter, the stream goes on
    ├── LabelStudioRefused      policy reject: Label Studio does not take this task; others go on
    ├── Retriable               policy retry: abort the transaction, back off, try again
    │   ├── BrokerUnavailable       no broker answers, or it answers "not now"
    │   ├── Rebalanced              the batch's partitions went to another member: drop the batch
    │   └── LabelStudioUnavailable  Label Studio does not answer, or answers "not now"
    └── Fatal                   policy stop: leave the group and exit with `exit_code`
        ├── SettingsInvalid         exit 2: a setting is wrong; says key, value and what is allowed
        ├── TopicsInvalid           exit 2: a topic is missing or has the wrong shape
        ├── Unauthorized            exit 3: broker or Label Studio refuse credentials or permissions
        ├── BrokerGone              exit 3: no broker answered within the start-up limit
        ├── BreakerOpen             exit 4: too many rejects; stopped rather than drain the topic
        ├── Fenced                  exit 5: another process took over this transactional id
        └── SnapshotRefused         a snapshot failed authentication or was made by other versions

May import nothing of streamal.
"""

from __future__ import annotations

from enum import Enum

__all__ = [
    "BreakerOpen",
    "BrokerGone",
    "BrokerUnavailable",
    "Fatal",
    "Fenced",
    "LabelStudioRefused",
    "LabelStudioUnavailable",
    "Policy",
    "Rebalanced",
    "Reject",
    "Retriable",
    "SettingsInvalid",
    "SnapshotRefused",
    "StreamalError",
    "TopicsInvalid",
    "Unauthorized",
]


class Policy(Enum):
    """What the caller does with an error."""

    REJECT = "reject"
    RETRY = "retry"
    STOP = "stop"


class StreamalError(Exception):
    """Base of the tree; carries the policy and, where the process ends, its exit code."""

    policy: Policy = Policy.STOP
    exit_code: int = 1


class Reject(StreamalError):
    """One event cannot be used; it becomes a dead letter.

    Args:
        reason: a short snake_case word from a small fixed set; becomes a metric label and a header.
        detail: one line for a human: which field, what it held, what is allowed.
    """

    policy = Policy.REJECT

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[Reject], tuple[str, str]]:
        return type(self), (self.reason, self.detail)


class LabelStudioRefused(StreamalError):
    """Label Studio finds fault with what it was sent; its words are the message."""

    policy = Policy.REJECT


class Retriable(StreamalError):
    """Passes by itself; nothing was lost, the same work is tried again."""

    policy = Policy.RETRY


class BrokerUnavailable(Retriable):
    """No broker answers, or a coordinator is loading or moving."""


class Rebalanced(Retriable):
    """The group moved on while a batch was in work; its results were not committed."""


class LabelStudioUnavailable(Retriable):
    """Label Studio does not answer, or it answers "not now"."""


class Fatal(StreamalError):
    """Trying again would not help; the process ends."""


class SettingsInvalid(Fatal):
    """One or more settings are wrong; `problems` has one line each.

    Args:
        problems: lines that each name the key, the value given and what is allowed.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class TopicsInvalid(SettingsInvalid):
    """A topic is missing, or has partitions or a cleanup policy that streamal cannot work with."""


class Unauthorized(Fatal):
    """The broker or Label Studio refuses our credentials or our permissions."""

    exit_code = 3


class BrokerGone(Fatal):
    """No broker could be reached within the limit."""

    exit_code = 3


class BreakerOpen(Fatal):
    """The share of rejected events passed its limit."""

    exit_code = 4


class Fenced(Fatal):
    """Another process with the same transactional id is active; this one must not write again."""

    exit_code = 5


class SnapshotRefused(Fatal):
    """A snapshot is not ours, was altered, or was made by other library versions."""
