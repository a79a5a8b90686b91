"""The report of a period as one HTML file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final, TypeAlias

from streamal.charts import BarChart, LineChart, Series, bar_chart, line_chart
from streamal.core.estimation import Estimate
from streamal.operations.period import Period, Person
from streamal.pages import figure, page, table
from streamal.roles.quality import WindowReport

__all__ = ["Price", "period_page"]

_HOUR: Final = 3600.0
_DAY: Final = 86_400.0
#: Longer periods count in days.
_LONG_HOURS: Final = 72
_NOT_KNOWN: Final = "not known"
_DRIFT_HEAD: Final = ("noticed", "detector", "what changed", "by", "from", "to")


#: An estimate of a window; None where it has none.
_Which: TypeAlias = Callable[[WindowReport], Estimate | None]


@dataclass(frozen=True, slots=True)
class Price:
    """What people cost.

    Attributes:
        per_label: for one answer of one annotator; None to leave money out.
        currency: written behind amounts.
    """

    per_label: float | None = None
    currency: str = ""

    def of(self, answers: float) -> str:
        """What so many answers cost."""
        amount = (self.per_label or 0.0) * answers
        return f"{amount:,.2f} {self.currency}".strip()


def period_page(period: Period, price: Price) -> str:
    """The whole page."""
    title = f"{period.pipeline}, {_day(period.start)} to {_day(period.end)}"
    sections = (
        _in_short(period, price),
        _quality(period),
        _drift(period),
        _spend(period),
        _people(period),
        _what_to_retrain_on(period),
    )
    return page(title, "\n".join(sections))


def _in_short(period: Period, price: Price) -> str:
    return table(
        "Answers that come later may change these numbers.",
        ("In short", ""),
        [*_counts(period), *_accuracies(period), *_costs(period, price)],
    )


def _counts(period: Period) -> list[tuple[str, str]]:
    work = period.work
    response = work.finished / work.asked if work.asked else math.nan
    return [
        ("Events", f"{period.events:,}"),
        ("Sent to review", f"{period.routed:,} ({_share(period.routed, period.events)})"),
        ("Reviews with a final answer so far", f"{work.finished:,} ({_percent(response)})"),
        *([("Made-up items asked about besides", f"{work.made_up:,}")] if work.made_up else []),
        ("Answers of all annotators", f"{work.answers:,}"),
    ]


def _accuracies(period: Period) -> list[tuple[str, str]]:
    work, rate = period.work, 1 - period.production.value
    yielded = work.wrong / work.finished if work.finished else math.nan
    right = _right(period)
    rows = [
        (f"Production was {right}", _estimate(period.production)),
        (f"The online model was {right}", _estimate(period.model)),
        *_losses(period),
        ("Reviews that found an error", f"{work.wrong:,} ({_percent(yielded)})"),
    ]
    if rate > 0 and not math.isnan(yielded):
        rows.append(("Errors found, as a multiple of random routing", f"{yielded / rate:.1f}"))
    return rows


def _losses(period: Period) -> list[tuple[str, str]]:
    if period.losses is None:
        return []
    model = period.losses.model
    return [
        ("Production's mean absolute error", _loss(period.losses.production)),
        ("The online model's", _NOT_KNOWN if model is None else _loss(model)),
    ]


def _costs(period: Period, price: Price) -> list[tuple[str, str]]:
    if price.per_label is None:
        return []
    work = period.work
    allowed = work.budget * period.events * work.required
    rows = [
        ("Cost of the answers", price.of(work.answers)),
        ("Cost if the budget were used up and all answered", price.of(allowed)),
    ]
    if work.wrong:
        rows.append(("Cost of each error found", price.of(work.answers / work.wrong)))
    return rows


def _quality(period: Period) -> str:
    if not any(_is_known(report.production) for report in period.matured):
        return _section(
            "Quality",
            "<p>No window of this period has matured with answers. A window matures when "
            "estimation.label_horizon_seconds have passed since its end.</p>",
        )
    charts = _line_figure(_rightness(period), "quality")
    if any(report.losses is not None for report in period.matured):
        charts += "\n" + _line_figure(_errors(period), "errors")
    return _section("Quality", charts)


def _rightness(period: Period) -> LineChart:
    return LineChart(
        "Share of right predictions",
        f"How often production and the online model were {_right(period)}, window by window, "
        "estimated for all events and not for reviewed ones alone. Between the thin lines lies "
        f"production with {period.production.interval.level:.0%} confidence. "
        f"{_in_words(period.production)}",
        _since(period),
        "share right",
        _series(period, lambda report: report.production, lambda report: report.model),
        marks=_marks(period),
        marks_name="drift",
    )


def _errors(period: Period) -> LineChart:
    def production(report: WindowReport) -> Estimate | None:
        return None if report.losses is None else report.losses.production

    def model(report: WindowReport) -> Estimate | None:
        return None if report.losses is None else report.losses.model

    return LineChart(
        "Mean absolute error",
        "How far production and the online model were off, window by window, in the unit of the "
        "predictions; estimated in the same way. Between the thin lines lies production with "
        f"{period.production.interval.level:.0%} confidence.",
        _since(period),
        "mean absolute error",
        _series(period, production, model),
        marks=_marks(period),
        marks_name="drift",
        percent=False,
        from_zero=True,
    )


def _series(period: Period, production: _Which, model: _Which) -> list[Series]:
    _, scale = _unit(period)

    def line(which: _Which, value: Callable[[Estimate], float]) -> list[tuple[float, float]]:
        return [
            ((report.window_start - period.start) / scale, value(estimate))
            for report in period.matured
            if (estimate := which(report)) is not None and math.isfinite(value(estimate))
        ]

    return [
        Series("production", line(production, lambda estimate: estimate.value)),
        Series("online model", line(model, lambda estimate: estimate.value)),
        Series("production, lower end", line(production, _low), muted=True),
        Series("production, upper end", line(production, _high), muted=True),
    ]


def _low(estimate: Estimate) -> float:
    """Without labels an interval says nothing, and is not drawn."""
    return estimate.interval.low if _is_known(estimate) else math.nan


def _high(estimate: Estimate) -> float:
    return estimate.interval.high if _is_known(estimate) else math.nan


def _marks(period: Period) -> list[float]:
    _, scale = _unit(period)
    return [(each.window_start.timestamp() - period.start) / scale for each in period.drifts]


def _since(period: Period) -> str:
    return f"{_unit(period)[0]} since {_minute(period.start)} UTC"


def _right(period: Period) -> str:
    return "within the tolerance" if period.regression else "right"


def _drift(period: Period) -> str:
    if not period.drifts:
        return _section("Drift", "<p>No change was noticed.</p>")
    rows = [
        (
            _minute(each.detected_at.timestamp()),
            each.detector,
            each.cause + (" (worse)" if each.harmful else ""),
            f"{each.statistic:+.3f}",
            f"{each.low:+.3f}",
            f"{each.high:+.3f}",
        )
        for each in period.drifts
    ]
    caption = "By how much, with the interval of the detector's statistic; see the reference."
    return _section("Drift", table(caption, _DRIFT_HEAD, rows, words=3))


def _spend(period: Period) -> str:
    unit, scale = _unit(period)
    points = [
        ((each.window_start - period.start) / scale, each.routed / each.events)
        for each in period.windows
        if each.events
    ]
    if not points:
        return _section("Spend", "<p>There were no events.</p>")
    budget = period.work.budget
    events, made_up = max(1, period.events), period.work.made_up
    spent = (period.routed + made_up) / events
    besides = f", {made_up / events:.2%} about made-up items" if made_up else ""
    chart = LineChart(
        "Share of events sent to review",
        f"{spent:.2%} over the period{besides}; the budget is {budget:.2%} in the long run.",
        f"{unit} since {_minute(period.start)} UTC",
        "share sent to review",
        [
            Series("sent to review", points),
            Series("budget", [(points[0][0], budget), (points[-1][0], budget)], muted=True),
        ],
        from_zero=True,
    )
    return _section("Spend", _line_figure(chart, "spend"))


def _people(period: Period) -> str:
    if not period.people:
        return _section("Reviewers", "<p>Nobody answered.</p>")
    head = ("reviewer", "answers", "hours at work", "answers per hour", "median time to answer")
    return _section(
        "Reviewers",
        table(
            "Hours in which somebody answered at all; time from the request to the answer. "
            "Agreement is with the final answers, leads and gold items, kappa with colleagues on "
            "the same items beyond chance; both over all time.",
            (*head, "agreement", "kappa"),
            [_person(each) for each in period.people],
        ),
    )


def _person(person: Person) -> tuple[str, ...]:
    return (
        person.name,
        f"{person.answers:,}",
        f"{person.hours:,}",
        f"{person.answers / person.hours:,.1f}",
        _duration(person.median_latency_seconds),
        _NOT_KNOWN if person.agreement is None else f"{person.agreement:.1%}",
        _NOT_KNOWN if person.kappa is None else f"{person.kappa:.2f}",
    )


def _what_to_retrain_on(period: Period) -> str:
    errors = period.errors
    if not period.parts or not errors.errors:
        return _section(
            "What to retrain on",
            "<p>No part of the data stands out: no errors were found, or there are too few answers "
            "to tell parts apart.</p>",
        )
    rows = [
        (
            part.key,
            part.value,
            f"{part.totals.labelled:,}",
            f"{part.totals.events / errors.events:.1%}",
            f"{part.totals.errors / errors.errors:.1%}",
            f"{part.totals.error_rate:.1%}",
            f"{part.excess:,.0f}",
        )
        for part in period.parts
    ]
    head = ("part", "which", "answers", "of all events", "of all errors", "error rate")
    chart = BarChart(
        "Errors beyond their share",
        "Share of all errors that would go away if production erred there only as often as it does "
        f"overall ({errors.error_rate:.1%}).",
        [(f"{part.key}: {part.value}", part.excess / errors.errors) for part in period.parts[:6]],
    )
    return _section(
        "What to retrain on",
        "<p>Parts of the data in which production errs more often than elsewhere; parts overlap. "
        "Numbers of events and errors are estimated from the answers and their weights.</p>\n"
        + figure(chart.title, bar_chart(chart, identity="parts"), chart.description)
        + table(
            f"An estimated {errors.errors:,.0f} errors in {errors.events:,.0f} events.",
            (*head, "errors beyond its share"),
            rows,
            words=2,
        )
        + "\n<p>The labelled data, with weights: streamal export.</p>",
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}"


def _line_figure(chart: LineChart, identity: str) -> str:
    return figure(chart.title, line_chart(chart, identity=identity), chart.description)


def _unit(period: Period) -> tuple[str, float]:
    days = period.end - period.start > _LONG_HOURS * _HOUR
    return ("days", _DAY) if days else ("hours", _HOUR)


def _is_known(estimate: Estimate) -> bool:
    return not math.isnan(estimate.value)


def _estimate(estimate: Estimate) -> str:
    if not _is_known(estimate):
        return _NOT_KNOWN
    low, high = estimate.interval.low, estimate.interval.high
    doubt = "" if estimate.reliable else "; too few answers to rely on"
    return f"{estimate.value:.1%} ({low:.1%} to {high:.1%}{doubt})"


def _loss(estimate: Estimate) -> str:
    if not _is_known(estimate):
        return _NOT_KNOWN
    low, high = estimate.interval.low, estimate.interval.high
    doubt = "" if estimate.reliable else "; too few answers to rely on"
    within = f"{low:,.4g} to {high:,.4g}" if math.isfinite(high) else f"{low:,.4g} or more"
    return f"{estimate.value:,.4g} ({within}{doubt})"


def _in_words(estimate: Estimate) -> str:
    return (
        f"Over all matured windows production's share is {_estimate(estimate)}, from "
        f"{estimate.labelled:,} answers for {estimate.events:,} events."
    )


def _share(part: int, whole: int) -> str:
    return _percent(part / whole if whole else math.nan)


def _percent(share: float) -> str:
    return _NOT_KNOWN if math.isnan(share) else f"{share:.1%}"


def _duration(seconds: float) -> str:
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _minute(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
