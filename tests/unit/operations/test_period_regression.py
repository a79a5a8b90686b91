"""The report of a regression says how far production was off, for all events."""

from __future__ import annotations

import re
from statistics import fmean

import pytest

from streamal.operations.period import Period, look_back
from streamal.operations.period_page import Price, period_page
from tests.support.drift_site import NumberSite

#: Errors are exponentially distributed: their mean, and the tolerance.
ERROR, TOLERANCE = 5.0, 5.0


@pytest.fixture(scope="module")
def site() -> NumberSite:
    made = NumberSite({"detectors": []}, tolerance=TOLERANCE)
    made.run(1000, wrong=ERROR)
    return made


@pytest.fixture(scope="module")
def period(site: NumberSite) -> Period:
    now = site.town.clock.now()
    return look_back(site.town.pipeline(), start=now - 1000, end=now)


def losses_of(site: NumberSite, period: Period) -> list[float]:
    """How far production was off on the events of the windows that have matured."""
    errors = [ERROR * abs(error) for error in site.errors.values()]
    return errors[: period.production.events]


def test_the_mean_absolute_error_is_that_of_all_events(site: NumberSite, period: Period) -> None:
    assert period.losses is not None
    production, model = period.losses.production, period.losses.model
    truth = fmean(losses_of(site, period))
    assert production.interval.low < truth < production.interval.high
    assert production.interval.half_width < 1.5
    assert production.events == period.production.events > 700
    assert model is not None
    assert truth < model.interval.low, "where nothing is to be learned it learns noise"
    assert model.value < 2 * truth
    windows = [report.losses for report in period.matured]
    assert len(windows) >= 7
    assert all(each is not None and each.production.labelled > 20 for each in windows)


def test_the_page_shows_it_with_its_interval_beside_the_share_within_the_tolerance(
    site: NumberSite, period: Period
) -> None:
    text = period_page(period, Price())
    assert period.losses is not None
    found = re.search(r"Production&#x27;s mean absolute error</td><td>([^<]*)</td>", text)
    assert found is not None
    value, low, high = (float(number) for number in re.findall(r"[0-9.]+", found[1]))
    assert value == pytest.approx(period.losses.production.value, rel=1e-3)
    assert low < value < high
    assert "Production was within the tolerance" in text
    assert period.production.interval.covers(
        fmean(loss <= TOLERANCE for loss in losses_of(site, period))
    )
    charts = re.findall(r'aria-labelledby="([^"]*)"|<title[^>]*>([^<]*)</title>', text)
    assert any("Mean absolute error" in name for chart in charts for name in chart)


def test_a_period_without_answers_knows_no_error(site: NumberSite) -> None:
    empty = look_back(site.town.pipeline(), start=0, end=100)
    text = period_page(empty, Price())
    assert re.search(r"mean absolute error</td><td>not known</td>", text)
