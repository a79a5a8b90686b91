"""Segments: what was counted under which name, and which values get one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streamal.events import ReviewRequest, SegmentStats, WindowStats
from streamal.ports import Record
from streamal.state import PendingView
from streamal.state.segments import SegmentSums

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records


def review(
    make: Records, offset: int, country: str, *, name: str | None = None, **changes: float
) -> Record:
    """A review of an event from `country` that was counted under `name`."""
    plain = ReviewRequest.from_bytes(make.review(offset, f"e{offset}").value)
    event = plain.model_copy(
        update={"metadata": {"country": country}, "segments": {"country": name or country}}
        | changes
    )
    return make.record("reviews", offset, event.to_bytes())


def window(make: Records, offset: int, start: float = 0, **countries: int) -> Record:
    plain = WindowStats.from_bytes(make.window(offset, start=start).value)
    parts = {
        name: SegmentStats(
            events=events, sum_expected_correct=events / 2, sum_expected_loss=3.0 * events
        )
        for name, events in countries.items()
    }
    event = plain.model_copy(update={"segments": {"country": parts}})
    return make.record("windows", offset, event.to_bytes())


def test_increments_of_a_window_add_up_by_segment(view: PendingView, make: Records) -> None:
    view.apply_windows(
        [window(make, 0, de=4, fr=1), window(make, 1, de=2), window(make, 2, 60, de=9)]
    )
    assert view.segments.sums(make.start, 60) == {
        "country": {"de": SegmentSums(6, 3.0, 18.0), "fr": SegmentSums(1, 0.5, 3.0)}
    }
    assert view.segments.sums(make.start + 60, 60) == {"country": {"de": SegmentSums(9, 4.5, 27.0)}}
    assert view.segments.sums(make.start + 120, 60) == {}


def test_redelivered_increments_count_once(view: PendingView, make: Records) -> None:
    for _ in range(2):
        view.apply_windows([window(make, 0, de=4)])
    assert view.segments.sums(make.start, 60) == {"country": {"de": SegmentSums(4, 2.0, 12.0)}}


def test_reviews_keep_the_names_that_their_events_were_counted_under(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([review(make, 0, "de"), review(make, 1, "it", name="other")])
    view.apply_reviews([make.review(2, "e0")])
    found = view.segments.of_reviews(make.start - 10, make.start)
    assert found == {"e0": {"country": "de"}, "e1": {"country": "other"}}


def test_the_most_frequent_values_get_a_name_each_review_for_all_it_stands_for(
    view: PendingView, make: Records
) -> None:
    rare = [review(make, n, "rare", propensity=1.0) for n in range(5)]
    many = [review(make, 10 + n, "many", propensity=0.1) for n in range(2)]
    view.apply_reviews([*rare, *many, review(make, 20, "new", name="other", propensity=0.1)])
    assert view.segments.listed({"country": 2}, {}) == {"country": ("many", "new")}
    assert view.segments.listed({"country": 9}, {}) == {"country": ("many", "new", "rare")}
    assert view.segments.listed({"shop": 3}, {}) == {"shop": ()}


def test_a_named_value_is_not_displaced_by_one_as_frequent(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([review(make, n, country) for n, country in enumerate("aabbbcccc")])
    assert view.segments.listed({"country": 2}, {})["country"] == ("c", "b")
    assert view.segments.listed({"country": 2}, {"country": ("a", "b")})["country"] == ("b", "a")


def test_names_of_equal_frequency_go_by_the_alphabet(view: PendingView, make: Records) -> None:
    view.apply_reviews([review(make, n, country) for n, country in enumerate("zyx")])
    assert view.segments.listed({"country": 2}, {})["country"] == ("x", "y")


@pytest.mark.parametrize("forget", ["purge", "reset"])
def test_what_is_forgotten_takes_its_segments_along(
    view: PendingView, make: Records, forget: str
) -> None:
    view.apply_reviews([review(make, 0, "de")])
    view.apply_windows([window(make, 0, de=4)])
    if forget == "purge":
        view.purge(make.start + 10_000, {})
    else:
        view.reset()
    assert view.segments.sums(make.start, 60) == {}
    assert view.segments.of_reviews(make.start - 100, make.start + 100) == {}
    assert view.segments.listed({"country": 2}, {}) == {"country": ()}
