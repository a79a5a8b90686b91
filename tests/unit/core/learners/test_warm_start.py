"""A head start equals having learned the same labels live."""

from __future__ import annotations

from streamal.core.learners import LabelledRow, Target, build_model, warm_start
from streamal.core.types import Production
from tests.support.single import outlook_of

ROWS = [
    LabelledRow(str(i), {"x": float(i % 4)}, "ab"[i % 4 > 1], Production("a")) for i in range(80)
]


def test_it_learns_what_learning_live_would() -> None:
    started, live = (
        build_model("default", parameters={}, committee_size=3, target=Target.ERROR, seed=2)
        for _ in range(2)
    )
    result = warm_start(started, iter(ROWS))
    for row in ROWS:
        live.learn(row.features, row.production, row.truth, event_id=row.event_id)
    assert (result.learned, result.rejected, result.details) == (80, 0, ())
    assert started.labels_learned == 80
    assert outlook_of(started, {"x": 1.0}, Production("a")) == outlook_of(
        live, {"x": 1.0}, Production("a")
    )


def test_rows_that_cannot_be_learned_are_counted_and_told() -> None:
    model = build_model("default", parameters={}, committee_size=0, target=Target.ERROR)
    without = [LabelledRow(f"row-{index}", {"x": 1.0}, "a") for index in range(30)]
    result = warm_start(model, without + ROWS[:5])
    assert (result.learned, result.rejected) == (5, 30)
    assert len(result.details) == 10
    assert result.details[0].startswith("row-0: missing_prediction")
