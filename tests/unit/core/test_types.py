"""The core's values: whose probabilities, whose vote."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from streamal.core.batch import Batch
from streamal.core.types import (
    NOTHING,
    Context,
    Probabilities,
    Production,
    Source,
    mean_probabilities,
    top_class,
)

CONTEXT = Context(
    event_id="e1",
    features={},
    production=Production("cat", {"cat": 0.9, "dog": 0.1}),
    model={"cat": 0.6, "dog": 0.4},
    committee=({"cat": 1.0}, {"cat": 0.2, "dog": 0.8}),
)


def said_by(context: Context, source: Source) -> Probabilities:
    return Batch.of([context]).probabilities(source).item(0)


def test_each_source_speaks_for_itself() -> None:
    assert said_by(CONTEXT, Source.PRODUCTION) == {"cat": 0.9, "dog": 0.1}
    assert said_by(CONTEXT, Source.MODEL) == {"cat": 0.6, "dog": 0.4}
    assert said_by(CONTEXT, Source.COMMITTEE) == {"cat": 0.6, "dog": 0.4}


def test_what_was_not_given_is_unknown() -> None:
    bare = Context("e1", {}, Production(value=3.5))
    assert all(said_by(bare, source) == NOTHING for source in Source)


def test_a_context_cannot_be_altered() -> None:
    with pytest.raises(FrozenInstanceError):
        CONTEXT.event_id = "e2"  # type: ignore[misc]  # that is what must not work
    assert replace(CONTEXT, event_id="e2").model == CONTEXT.model


def test_the_mean_member_sums_to_one_over_all_classes() -> None:
    mean = mean_probabilities(({"a": 0.5, "b": 0.5}, {"b": 0.25, "c": 0.75}))
    assert mean == {"a": 0.25, "b": 0.375, "c": 0.375}


def test_members_that_know_nothing_do_not_dilute_the_mean() -> None:
    assert mean_probabilities(({}, {"a": 0.3, "b": 0.7}, {})) == {"a": 0.3, "b": 0.7}
    assert mean_probabilities(({}, {})) == NOTHING
    assert mean_probabilities(()) == NOTHING


def test_the_top_class_does_not_depend_on_order() -> None:
    assert top_class({"b": 0.4, "a": 0.4, "c": 0.2}) == "a"
    assert top_class({"a": 0.4, "c": 0.2, "b": 0.4}) == "a"
    assert top_class({"a": 0.1, "b": 0.9}) == "b"
    assert top_class(NOTHING) is None
