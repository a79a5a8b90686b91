"""The account: what may be spent next, given what was spent."""

from __future__ import annotations

import pytest

from streamal.core.budgets.spend import RESPONSE_LABELS, Spend


def spend_with(debt: float, *, budget: float = 0.1, floor: float = 0.02) -> Spend:
    spend = Spend(budget, floor)
    spend.debt = debt
    return spend


def test_each_item_grants_the_budget_and_each_label_costs_one() -> None:
    spend = Spend(0.25, 0.0)
    for i in range(100):
        spend.book(query=i < 10, throttled=False)
    assert spend.debt == pytest.approx(15.0)


def test_without_debt_the_target_is_the_budget() -> None:
    assert spend_with(0.0).target == 0.1


def test_overspend_brakes_to_the_floor_and_no_further() -> None:
    assert spend_with(-RESPONSE_LABELS / 2).target == pytest.approx(0.05)
    assert spend_with(-RESPONSE_LABELS).target == 0.02
    assert spend_with(-1e6).target == 0.02


def test_debt_accelerates_until_everything_is_routed() -> None:
    assert spend_with(RESPONSE_LABELS).target == pytest.approx(0.2718, abs=1e-4)
    assert spend_with(2.31 * RESPONSE_LABELS).target == 1.0
    assert spend_with(1e9, budget=1e-9, floor=0.0).target == 1.0


def test_overspend_uses_up_the_credit() -> None:
    left = [spend_with(debt).credit for debt in (5.0, 0.0, -2.5, -10.0, -11.0)]
    assert left == [1.0, 1.0, 0.75, 0.0, 0.0]


def test_debt_is_carried_over_up_to_its_cap_and_overspend_without_end() -> None:
    spend = Spend(0.5, 0.1, carry_over_labels=3.0)
    for _ in range(100):
        spend.book(query=False, throttled=False)
    assert spend.debt == 3.0
    for _ in range(1000):
        spend.book(query=True, throttled=False)
    assert spend.debt == pytest.approx(3.0 - 500.0)


@pytest.mark.parametrize(("before", "after"), [(-1.0, 0.0), (0.0, 0.0), (4.0, 4.0)])
def test_throttled_items_pay_back_but_do_not_run_up_debt(before: float, after: float) -> None:
    spend = spend_with(before)
    for _ in range(1000):
        spend.book(query=False, throttled=True)
    assert spend.debt == pytest.approx(after)


def test_throttled_items_cost_what_they_cost() -> None:
    spend = spend_with(4.0)
    spend.book(query=True, throttled=True)
    assert spend.debt == pytest.approx(3.1)


def test_a_raise_is_a_loan_that_is_saved_again() -> None:
    spend = Spend(0.1, 0.02)
    granted = 0.0
    for number in range(10_000):
        spend.book(query=False, throttled=False, factor=3.0 if number < 1_000 else 1.0)
        granted += spend.rate
        if number == 999:
            assert spend.rate == pytest.approx(0.3)
            assert spend.loan == pytest.approx(200.0)
        if number == 1_000:
            assert spend.rate == pytest.approx(0.075)
    assert spend.loan == 0.0
    assert spend.rate == 0.1
    assert granted == pytest.approx(10_000 * 0.1)


def test_a_loan_is_paid_back_no_faster_than_the_floor_allows() -> None:
    spend = Spend(0.1, 0.09)
    for _ in range(100):
        spend.book(query=False, throttled=False, factor=2.0)
    spend.book(query=False, throttled=False)
    assert spend.rate == 0.09


def test_nothing_is_lent_or_paid_back_while_a_limit_throttles() -> None:
    spend = Spend(0.1, 0.02)
    for _ in range(100):
        spend.book(query=False, throttled=True, factor=2.0)
    assert (spend.loan, spend.rate) == (0.0, 0.1)
    assert spend.debt == 0.0


def test_an_account_with_a_loan_travels() -> None:
    spend, other = Spend(0.1, 0.02), Spend(0.1, 0.02)
    for number in range(50):
        spend.book(query=number % 7 == 0, throttled=False, factor=2.0)
    other.restore(spend.state())
    assert (other.debt, other.loan, other.rate) == (spend.debt, spend.loan, spend.rate)
    assert Spend(0.1, 0.02).state() == {"debt": 0.0}
