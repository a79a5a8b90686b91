"""Features as a reviewer reads them."""

from __future__ import annotations

from typing import get_args

import pytest

from streamal.console.presenting import Recent, fields, number, opinions, why
from streamal.events import ReviewRequest
from streamal.events.review import ReviewReason
from tests.support.desk import ReviewDesk


def reviews(desk: ReviewDesk, *values: tuple[float, float]) -> list[ReviewRequest]:
    return [
        desk.ask(f"e{n}", features={"x": value}, propensity=propensity)
        for n, (value, propensity) in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (3, "number", "3"),
        (1234567.0, "number", "1,234,567"),
        (0.123456, "number", "0.1235"),
        (0.00001234, "number", "1.234e-05"),
        (1e300, "number", "1e+300"),
        (True, "flag", "yes"),
        (None, "missing", "missing"),
        ((1.0, 2.5), "prose", "1, 2.5"),
        ("short", "text", "short"),
        ("two\nlines", "prose", "two\nlines"),
        ("x" * 81, "prose", "x" * 81),
        ("data:image/png;base64,AAAA", "image", "data:image/png;base64,AAAA"),
        ("data:image/svg+xml;base64,AAAA", "text", "data:image/svg+xml;base64,AAAA"),
        ('data:image/png;base64,AA" onerror="', "text", 'data:image/png;base64,AA" onerror="'),
        ("javascript:alert(1)", "text", "javascript:alert(1)"),
        ("https://shop.example/a?b=c", "link", "https://shop.example/a?b=c"),
        ("https://shop.example/ and more", "text", "https://shop.example/ and more"),
        ("https://[bad", "text", "https://[bad"),
    ],
)
def test_kinds_of_values(value: object, kind: str, text: str) -> None:
    (field,) = fields({"name": value})
    assert (field.kind, field.text) == (kind, text)


def test_a_link_says_where_it_leads() -> None:
    (field,) = fields({"page": "https://user@shop.example:8443/path"})
    assert field.host == "shop.example"


def test_a_number_has_its_place_among_recent_events(desk: ReviewDesk) -> None:
    recent = Recent(reviews(desk, *((float(n), 0.5) for n in range(100))))
    (field,) = fields({"x": 24}, recent)

    assert field.rank == pytest.approx(0.245)
    assert max(field.bars) == 1
    assert field.mark == pytest.approx(0.24, abs=0.02)
    assert fields({"x": -5}, recent)[0].rank == 0
    assert fields({"x": 500}, recent)[0].mark == 1
    assert fields({"y": 1}, recent)[0].rank is None


def test_items_stand_for_as_many_events_as_their_propensity_says(desk: ReviewDesk) -> None:
    selected = [(10.0, 1.0)] * 30
    explored = [(0.0, 0.1)] * 9
    recent = Recent(reviews(desk, *selected, *explored))

    assert fields({"x": 5.0}, recent)[0].rank == pytest.approx(90 / 120)


def test_few_or_equal_values_are_no_distribution(desk: ReviewDesk) -> None:
    assert fields({"x": 1}, Recent(reviews(desk, *[(1.0, 0.5)] * 19)))[0].rank is None
    (field,) = fields({"x": 1}, Recent(reviews(desk, *[(1.0, 0.5)] * 20)))
    assert field.rank == 0.5


def test_opinions_name_the_chosen_class_and_leave_out_the_rest(desk: ReviewDesk) -> None:
    many = {f"c{n:02}": 0.05 for n in range(20)}
    review = desk.ask("e1", prediction={"probabilities": many}, model={"version": 0})
    (production,) = opinions(review)

    assert len(production.shares) == 8
    assert production.more == 12
    assert [share.label for share in production.shares if share.chosen] == ["c00"]


def test_opinions_of_a_regression_and_of_a_bare_class(desk: ReviewDesk) -> None:
    review = desk.ask("e1", prediction={"value": 3.25}, model={"version": 1, "value": 2.0})
    assert [opinion.value for opinion in opinions(review)] == ["3.25", "2"]
    (bare, _) = opinions(desk.ask("e2", prediction={"label": "yes"}))
    assert bare.shares[0].probability is None


@pytest.mark.parametrize("reason", get_args(ReviewReason))
def test_every_reason_is_a_sentence(desk: ReviewDesk, reason: str) -> None:
    assert why(desk.ask("e1", reason=reason)).endswith(".")


def test_of_a_made_up_item_production_has_no_opinion(desk: ReviewDesk) -> None:
    review = desk.ask("synthetic:1", synthetic=True)
    assert [opinion.name for opinion in opinions(review)] == ["Online model"]
    assert why(review) == "It was made up between two labelled items of different classes."
    events = [desk.ask(f"e{n}", features={"amount": float(n)}) for n in range(30)]
    made_up = [desk.ask(f"s{n}", features={"amount": -5.0}, synthetic=True) for n in range(90)]
    assert Recent([*events, *made_up]).field("amount", 15.0).rank == pytest.approx(0.5, abs=0.03)


def test_numbers_without_a_point() -> None:
    assert number(-0.0) == "-0"
    assert number(-1500) == "-1,500"
