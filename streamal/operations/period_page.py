"""The report of a period as one HTML file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from streamal.charts import BarChart, LineChart, Series, bar_chart, line_chart
from streamal.core.estimation import Estimate
from streamal.operations.period import Period, Person
from streamal.pages import figure, page, table

__all__ = ["Price", "period_page"]

_HOUR: Final = 3600.0
_DAY: Final = 86_400.0
#: Longer periods count in days.
_LONG_HOURS: Final = 72
_NOT_KNOWN: Final = "not known"
_DRIFT_HEAD: Final = ("noticed", "detector", "what changed", "by", "from", "to")


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
        ("Answers of all annotators", f"{work.answers:,}"),
    ]


def _accuracies(period: Period) -> list[tuple[str, str]]:
    work, rate = period.work, 1 - period.production.value
    yielded = work.wrong / work.finished if work.finished else math.nan
    rows = [
        ("Production was right", _estimate(period.production)),
        ("The online model was right", _estimate(period.model)),
        ("Reviews that found an error", f"{work.wrong:,} ({_percent(yielded)})"),
    ]
    if rate > 0 and not math.isnan(yielded):
        rows.append(("Errors found, as a multiple of random routing", f"{yielded / rate:.1f}"))
    return rows


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
    right = "within the tolerance" if period.regression else "right"
    unit, scale = _unit(period)

    def line(
        value: Callable[[Estimate], float], *, model: bool = False
    ) -> list[tuple[float, float]]:
        return [
            (
                (report.window_start - period.start) / scale,
                value(report.model if model else report.production),
            )
            for report in period.matured
            if _is_known(report.model if model else report.production)
        ]

    chart = LineChart(
        "Share of right predictions",
        f"How often production and the online model were {right}, window by window, estimated for "
        "all events and not for reviewed ones alone. Between the thin lines lies production with "
        f"{period.production.interval.level:.0%} confidence. {_in_words(period.production)}",
        f"{unit} since {_minute(period.start)} UTC",
        "share right",
        [
            Series("production", line(lambda estimate: estimate.value)),
            Series("online model", line(lambda estimate: estimate.value, model=True)),
            Series("production, lower end", line(lambda e: e.interval.low), muted=True),
            Series("production, upper end", line(lambda e: e.interval.high), muted=True),
        ],
        marks=[(each.window_start.timestamp() - period.start) / scale for each in period.drifts],
        marks_name="drift",
    )
    return _section("Quality", _line_figure(chart, "quality"))


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
    spent = period.routed / max(1, period.events)
    chart = LineChart(
        "Share of events sent to review",
        f"{spent:.2%} over the period; the budget is {budget:.2%} in the long run.",
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
