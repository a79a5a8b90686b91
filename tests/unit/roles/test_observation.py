"""What a gate counts of an event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from streamal.core.learners import Outlook
from streamal.core.types import Context
from streamal.events import Prediction, decoded
from streamal.roles.appraisal import Appraisal
from streamal.roles.intake import as_production
from streamal.roles.observation import Observing


def appraised(features: dict[str, Any], prediction: dict[str, Any], **fields: Any) -> Appraisal:  # noqa: ANN401 - any JSON
    event = decoded(
        Prediction.model_validate(
            {
                "event_id": "e1",
                "timestamp": datetime.now(UTC),
                "features": features,
                "prediction": prediction,
                **fields,
            }
        )
    )
    context = Context("e1", event.features, as_production(event.prediction))
    return Appraisal(event, Outlook({}, (), 0.5), context, 0)


ALL = Observing(frozenset(), max_features=3, bins=64)


def test_features_class_and_doubt_are_counted() -> None:
    values = ALL.values(
        appraised({"age": 31, "note": None}, {"probabilities": {"yes": 0.9, "no": 0.1}})
    )
    assert values == {
        "feature.age": 31,
        "class": "yes",
        "uncertainty": pytest.approx(0.1),
    }


def test_a_regression_counts_its_value() -> None:
    assert ALL.values(appraised({}, {"value": 12.5})) == {"value": 12.5}


def test_of_too_many_features_the_alphabetically_first_are_taken() -> None:
    values = ALL.values(appraised(dict.fromkeys("edcba", 1.0), {"label": "yes"}))
    assert sorted(values) == ["class", "feature.a", "feature.b", "feature.c"]
    assert ALL.summary().most_variables == 3 + 4


def test_only_chosen_features_are_counted() -> None:
    observing = Observing(frozenset({"b"}), max_features=3, bins=64)
    values = observing.values(appraised({"a": 1, "b": 2, "class": "x"}, {"label": "yes"}))
    assert values == {"feature.b": 2, "class": "yes"}


def test_disagreement_is_that_of_productions_own_committee() -> None:
    members = [{"yes": 0.9, "no": 0.1}, {"yes": 0.1, "no": 0.9}]
    one = appraised({}, {"label": "yes"}, committee=members)
    values = ALL.values(one)
    assert isinstance(values["disagreement"], float)
    assert 0.4 < values["disagreement"] <= 1.0
    alone = appraised({}, {"label": "yes"}, committee=members[:1])
    assert "disagreement" not in ALL.values(alone)


def test_disagreement_of_numbers_is_their_standard_deviation() -> None:
    def counted(committee: list[Any]) -> object:
        return ALL.values(appraised({}, {"value": 3.0}, committee=committee)).get("disagreement")

    assert counted([1.0, 3.0, {"yes": 1.0}]) == 1.0
    assert counted([7.0, 7.0]) == 0.0
    assert counted([7.0]) is None
    assert counted([1e300, -1e300]) is None
