"""What `streamal inspect` tells a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.cli.printing import print_catalogue, print_inspection
from streamal.events import (
    ClassQuality,
    ComparedLoss,
    ComparedQuality,
    LossQuality,
    QualityReport,
    Reported,
    ReportedLoss,
    SegmentQuality,
)
from streamal.operations.catalogue import catalogue
from streamal.operations.inspect import Inspection

KNOWN = Reported(value=0.875, low=0.8, high=0.95, labelled=123, events=4567, reliable=True)
UNKNOWN = Reported(low=0.0, high=1.0)


def inspection(quality: QualityReport | None) -> Inspection:
    nothing = dict.fromkeys(Inspection.model_fields)
    counts = {"quarantined": 0, "disputes": 0, "noise_dominates": False, "labels_lag": 0}
    return Inspection.model_validate(
        {**nothing, **counts, "gates": [], "pipeline": "orders", "quality": quality}
    )


def quality(**parts: object) -> QualityReport:
    return QualityReport.model_validate(
        {
            "window_start": datetime.now(UTC),
            "window_seconds": 3600,
            "window": UNKNOWN,
            "production": KNOWN,
            "model": KNOWN,
            **parts,
        }
    )


def test_estimates_are_told_in_percent(capsys: pytest.CaptureFixture[str]) -> None:
    print_inspection(inspection(quality()))
    said = capsys.readouterr().out
    for text in ("production", "last window", "model", "87.5", "80.0", "95.0", "123", "4567"):
        assert text in said
    assert "by segment" not in said


def test_segments_differences_and_classes_have_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    difference = KNOWN.model_copy(update={"value": -0.12, "low": -0.2, "high": -0.04})
    found = quality(
        segments=(SegmentQuality(segment="model_version", value="v2", accuracy=KNOWN),),
        differences=(
            ComparedQuality(
                segment="model_version",
                value="v2",
                reference="v1",
                difference=difference,
                worse=True,
            ),
        ),
        classes=(ClassQuality(name="fraud", precision=KNOWN, recall=UNKNOWN),),
    )
    print_inspection(inspection(found))
    said = capsys.readouterr().out
    for text in ("model_version", "v2", "v1", "-12.0", "-4.0", "fraud", "precision", "recall"):
        assert text in said


def test_errors_of_a_regression_are_told_in_their_unit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loss = ReportedLoss(value=12.34, low=11.5, high=13.5, labelled=50, events=900, reliable=True)
    compared = ComparedLoss(value=3.21, low=1.5, high=None, labelled=7, events=80, worse=True)
    found = quality(
        loss=LossQuality(window=loss, production=loss, model=loss),
        segments=(SegmentQuality(segment="country", value="pt", accuracy=KNOWN, loss=loss),),
        differences=(
            ComparedQuality(
                segment="model_version",
                value="v2",
                reference="v1",
                difference=KNOWN,
                worse=False,
                loss=compared,
            ),
        ),
    )
    print_inspection(inspection(found))
    said = capsys.readouterr().out
    for text in ("mean absolute error by segment", "12.34", "11.5", "pt", "3.21", "1.5", "yes"):
        assert text in said


def test_nothing_is_told_before_a_window_matured(capsys: pytest.CaptureFixture[str]) -> None:
    print_inspection(inspection(None))
    assert "accuracy" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        ({"answer_noise": 0.125}, "noise in the answers (12.5% wrong) may move the accuracy"),
        ({"answer_error": 0.125}, "noise in the answers (off by 0.125) may move the error"),
    ],
)
def test_noise_that_dominates_is_said_in_its_unit(
    capsys: pytest.CaptureFixture[str], noise: dict[str, float], said: str
) -> None:
    found = inspection(None).model_copy(update={"noise_dominates": True, **noise})
    print_inspection(found)
    assert said in capsys.readouterr().out


def test_the_catalogue_tells_people_all_that_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    found = catalogue()
    print_catalogue(found)
    told = "".join(capsys.readouterr().out.split())
    for entry in [*found.strategies, *found.policies, *found.detectors]:
        for text in (entry.formula, entry.range, entry.zero_propensity, entry.source):
            assert "".join(text.split()) in told, entry.name
