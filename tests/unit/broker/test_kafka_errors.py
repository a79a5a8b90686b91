"""What each error of kafka-python means to us."""

from __future__ import annotations

import pytest
from kafka import errors

from streamal.broker.kafka.errors import translated, translating
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


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (errors.KafkaConnectionError("gone"), BrokerUnavailable),
        (errors.KafkaTimeoutError("late"), BrokerUnavailable),
        (errors.CoordinatorLoadInProgressError(), BrokerUnavailable),
        (errors.NotLeaderForPartitionError(), BrokerUnavailable),
        (errors.NotEnoughReplicasError(), BrokerUnavailable),
        (ConnectionRefusedError("refused"), BrokerUnavailable),
        (errors.CommitFailedError(), Rebalanced),
        (errors.IllegalGenerationError(), Rebalanced),
        (errors.UnknownMemberIdError(), Rebalanced),
        (errors.RebalanceInProgressError(), Rebalanced),
        (errors.ProducerFencedError(), Fenced),
        (errors.InvalidProducerEpochError(), Fenced),
        (errors.FencedInstanceIdError(), Fenced),
        (errors.TopicAuthorizationFailedError("t"), Unauthorized),
        (errors.GroupAuthorizationFailedError("g"), Unauthorized),
        (errors.TransactionalIdAuthorizationFailedError(), Unauthorized),
        (errors.SaslAuthenticationFailedError("no"), Unauthorized),
        (errors.MessageSizeTooLargeError(), TopicsInvalid),
        (errors.UnknownTopicOrPartitionError(), TopicsInvalid),
        (errors.UnsupportedCodecError(), SettingsInvalid),
        (errors.InvalidSessionTimeoutError(), SettingsInvalid),
        (errors.InvalidTxnStateError(), Fatal),
        (errors.KafkaError("never seen"), Fatal),
    ],
)
def test_the_kind_is_chosen_by_what_can_be_done(
    theirs: Exception, ours: type[StreamalError]
) -> None:
    error = translated(theirs, "sending to 'topic'")

    assert type(error) is ours
    assert str(error).startswith("sending to 'topic': ")
    assert "None" not in str(error)
    assert error.__cause__ is theirs


def test_an_error_that_carries_its_cause_is_judged_by_the_cause() -> None:
    wrapped = errors.KafkaError("cannot send", errors.ProducerFencedError())

    assert isinstance(translated(wrapped, "sending"), Fenced)


def test_our_own_and_programming_errors_pass_unchanged() -> None:
    for error in (Rebalanced("ours"), ValueError("a bug"), KeyError("a bug")):
        with pytest.raises(type(error)) as caught, translating("anything"):
            raise error
        assert caught.value is error
