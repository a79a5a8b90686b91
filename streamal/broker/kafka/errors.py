"""Every error of kafka-python, turned into one of ours; the only place where that is decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors

from streamal.errors import (
    BrokerUnavailable,
    Fatal,
    Fenced,
    Rebalanced,
    SettingsInvalid,
    StreamalError,
    TopicsInvalid,
    Unauthorized,
)

__all__ = ["translated", "translating"]

_UNAUTHORIZED = (
    errors.AuthorizationError,
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.SecurityDisabledError,
)
_FENCED = (
    errors.ProducerFencedError,
    errors.InvalidProducerEpochError,
    errors.FencedInstanceIdError,
)
_REBALANCED = (
    errors.CommitFailedError,
    errors.IllegalGenerationError,
    errors.UnknownMemberIdError,
    errors.RebalanceInProgressError,
)
_TOPICS = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidRecordError,
    errors.InvalidTopicError,
    errors.UnknownTopicOrPartitionError,
    errors.InvalidPartitionsError,
    errors.InvalidReplicationFactorError,
    errors.InvalidConfigurationError,
    errors.PolicyViolationError,
)
_SETTINGS = (
    errors.KafkaConfigurationError,
    errors.UnsupportedCodecError,
    errors.UnsupportedCompressionTypeError,
    errors.UnsupportedVersionError,
    errors.UnsupportedForMessageFormatError,
    errors.InvalidSessionTimeoutError,
    errors.InvalidTransactionTimeoutError,
    errors.InvalidGroupIdError,
    errors.InconsistentGroupProtocolError,
    errors.GroupMaxSizeReachedError,
)
_UNAVAILABLE = (
    errors.RetriableError,
    errors.BrokerNotAvailableError,
    errors.TransactionAbortableError,
    errors.TransactionCoordinatorFencedError,
    errors.CorruptRecordError,
    errors.InvalidReceiveError,
    OSError,
)
#: First match wins, so the kinds that are also retriable for kafka-python come before that.
_POLICIES: tuple[tuple[tuple[type[Exception], ...], type[StreamalError]], ...] = (
    (_UNAUTHORIZED, Unauthorized),
    (_FENCED, Fenced),
    (_REBALANCED, Rebalanced),
    (_TOPICS, TopicsInvalid),
    (_SETTINGS, SettingsInvalid),
    (_UNAVAILABLE, BrokerUnavailable),
)
#: Explains the errors whose own text does not say what an operator can do.
_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (errors.MessageSizeTooLargeError, "raise the topic's max.message.bytes, or send less"),
    (errors.RecordListTooLargeError, "raise the topic's segment.bytes, or send less"),
    (errors.InvalidRecordError, "a compacted topic needs a key in each record"),
    (_FENCED[0], "a newer producer has this transactional id, or the transaction timed out"),
    (_FENCED[1], "a newer producer has this transactional id, or the transaction timed out"),
    (errors.FencedInstanceIdError, "a newer member has this static membership id"),
    (errors.UnsupportedCodecError, "install streamal[compression]"),
)


def translated(error: Exception, about: str) -> StreamalError:
    """Our error for one of kafka-python's.

    Args:
        error: what it raised, or failed a future with.
        about: what was tried, naming the topic or group; starts the message.
    """
    cause = _root(error)
    kind = next((ours for theirs, ours in _POLICIES if isinstance(cause, theirs)), Fatal)
    hint = next((f" ({text})" for theirs, text in _HINTS if isinstance(cause, theirs)), "")
    ours = kind(f"{about}: {_text(cause)}{hint}")
    ours.__cause__ = error
    return ours


def _text(error: Exception) -> str:
    """The error's name and what it says, if anything."""
    name = type(error).__name__.removesuffix("Error")
    said = [str(arg) for arg in error.args if arg] or [getattr(error, "description", None) or ""]
    return f"{name}: {' '.join(said)}" if said[0] else name


def _root(error: Exception) -> Exception:
    """The error that a bare `KafkaError` carries as an argument, else the error itself."""
    carried = [arg for arg in error.args if isinstance(arg, errors.KafkaError)]
    return carried[0] if type(error) is errors.KafkaError and carried else error


@contextmanager
def translating(about: str) -> Iterator[None]:
    """Let only our errors out; programming errors such as `ValueError` pass unchanged."""
    try:
        yield
    except StreamalError:
        raise
    except (errors.KafkaError, OSError) as error:
        raise translated(error, about) from error
