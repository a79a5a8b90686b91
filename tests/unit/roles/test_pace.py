"""Work that can wait takes a tenth of the time."""

from __future__ import annotations

import pytest

from streamal.roles.pace import Pace


def test_it_may_be_done_at_once_the_first_time() -> None:
    assert Pace().may(1_700_000_000.0)


@pytest.mark.parametrize(
    ("spent", "free"), [(0.0, 0.0), (0.125, 1.125), (2.0, 18.0), (3600.0, 60.0)]
)
def test_it_waits_nine_times_as_long_as_it_took_but_not_forever(spent: float, free: float) -> None:
    pace = Pace()
    pace.spent(1000.0, 1000.0 + spent)
    assert pace.may(1000.0 + spent + free)
    assert free == 0.0 or not pace.may(1000.0 + spent + free - 0.01)


def test_a_clock_that_was_set_back_does_not_put_it_off() -> None:
    pace = Pace()
    pace.spent(10_000.0, 10_001.0)
    assert pace.may(5_000.0)
