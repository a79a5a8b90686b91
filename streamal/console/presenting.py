"""An item as a reviewer reads it: features with where they lie among recent events, predictions.

Values come from production's events, so nothing here is trusted: text stays text, an image is shown
only from the event itself (`data:`), and an address becomes a link that is opened on purpose.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from streamal.events import ReviewRequest

__all__ = ["Field", "Opinion", "Recent", "Share", "fields", "number", "opinions", "why"]

_IMAGE: Final = re.compile(r"^data:image/(png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+$")
_LONG_TEXT: Final = 80
#: Fewer values say nothing about a distribution.
_FEWEST: Final = 20
_BINS: Final = 24
_SHOWN_CLASSES: Final = 8

_REASONS: Final[Mapping[str, str]] = {
    "above_threshold": "It scored above the threshold.",
    "at_threshold": "It scored exactly at the threshold and won the draw.",
    "exploration": "It was drawn at random, so that the accuracy estimate stays honest.",
    "max_pending": "It was drawn at random while many reviews wait.",
    "stopped": "It was drawn at random while the model is good enough.",
    "advance": "It is among the first of a new pipeline, which has to start somewhere.",
    "rate_limited": "It was drawn although the hourly limit is nearly used up.",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One feature or piece of metadata.

    Attributes:
        name: as production calls it.
        kind: how it is shown.
        text: what is shown, or the address of a link or picture.
        rank: share of recent events with a smaller value, in [0, 1]; None where that is unknown.
        bars: heights of a histogram of recent values, in [0, 1].
        mark: where the value lies on it, in [0, 1].
        host: where a link leads.
    """

    name: str
    kind: Literal["number", "text", "prose", "image", "link", "flag", "missing"]
    text: str
    rank: float | None = None
    bars: tuple[float, ...] = ()
    mark: float = 0.0
    host: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A class with its probability; None where only the class is known."""

    label: str
    probability: float | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Opinion:
    """What production or the online model said.

    Attributes:
        name: whose opinion.
        shares: classes, most probable first.
        value: of a regression, as text.
        more: classes that are not listed.
    """

    name: str
    shares: tuple[Share, ...]
    value: str | None = None
    more: int = 0


class _Distribution:
    """Recent values of one feature, weighted so that they speak for all events."""

    def __init__(self, pairs: Sequence[tuple[float, float]]) -> None:
        ordered = sorted(pairs)
        self._values = [value for value, _ in ordered]
        self._sums = [0.0]
        for _, weight in ordered:
            self._sums.append(self._sums[-1] + weight)

    def rank(self, value: float) -> float:
        """Weighted share below, with half of the equal ones."""
        low = self._sums[bisect.bisect_left(self._values, value)]
        high = self._sums[bisect.bisect_right(self._values, value)]
        return (low + high) / 2 / self._sums[-1]

    def picture(self, value: float) -> tuple[tuple[float, ...], float]:
        """Histogram heights between the outer percents, and the place of a value on it."""
        low, high = self._at(0.01), self._at(0.99)
        span = high - low or 1.0
        bars = [0.0] * _BINS
        for index, each in enumerate(self._values):
            place = min(_BINS - 1, max(0, int((each - low) / span * _BINS)))
            bars[place] += self._sums[index + 1] - self._sums[index]
        tallest = max(bars)
        return tuple(bar / tallest for bar in bars), min(1.0, max(0.0, (value - low) / span))

    def _at(self, share: float) -> float:
        index = bisect.bisect_left(self._sums, share * self._sums[-1])
        return self._values[min(len(self._values) - 1, max(0, index - 1))]


class Recent:
    """How numbers were distributed lately.

    The requests are a selection; each is weighted by the inverse of its propensity.

    Args:
        reviews: the latest requests.
    """

    def __init__(self, reviews: Iterable[ReviewRequest]) -> None:
        found: dict[str, list[tuple[float, float]]] = {}
        for review in reviews:
            if review.synthetic:
                continue  # no event
            for name, value in review.features.items():
                if _is_number(value):
                    found.setdefault(name, []).append(
                        (float(value), 1 / review.propensity)  # type: ignore[arg-type]  # checked
                    )
        self._of = {
            name: _Distribution(pairs) for name, pairs in found.items() if len(pairs) >= _FEWEST
        }

    def field(self, name: str, value: float) -> Field:
        """A number among its like."""
        known = self._of.get(name)
        if known is None:
            return Field(name, "number", number(value))
        bars, mark = known.picture(value)
        return Field(name, "number", number(value), known.rank(value), bars, mark)


def fields(values: Mapping[str, object], recent: Recent | None = None) -> list[Field]:
    """Features or metadata, ready to show."""
    return [_field(name, value, recent) for name, value in values.items()]


def opinions(review: ReviewRequest) -> list[Opinion]:
    """What production and the online model said, as far as they said anything.

    Production said nothing about a made-up item, whatever stands in its place.
    """
    output, model = review.prediction, review.model
    found = [_opinion("Online model", model.label, model.probabilities, model.value)]
    if not review.synthetic:
        production = _opinion("Production", output.label, output.probabilities or {}, output.value)
        found.insert(0, production)
    return [each for each in found if each.shares or each.value is not None]


def why(review: ReviewRequest) -> str:
    """Which rule routed the item, in a sentence."""
    if review.synthetic:
        return "It was made up between two labelled items of different classes."
    return _REASONS[review.reason]


def number(value: float) -> str:
    """A number with as many digits as help."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.6g}"
    return f"{value:,.4g}" if abs(value) >= 1e-4 else f"{value:.3e}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _field(name: str, value: object, recent: Recent | None) -> Field:
    if value is None:
        return Field(name, "missing", "missing")
    if isinstance(value, bool):
        return Field(name, "flag", "yes" if value else "no")
    if isinstance(value, int | float):
        return recent.field(name, value) if recent else Field(name, "number", number(value))
    if isinstance(value, tuple | list):
        return Field(name, "prose", ", ".join(number(each) for each in value))
    return _text(name, str(value))


def _text(name: str, value: str) -> Field:
    if _IMAGE.match(value):
        return Field(name, "image", "".join(value.split()))
    host = _host(value)
    if host is not None:
        return Field(name, "link", value, host=host)
    is_long = len(value) > _LONG_TEXT or "\n" in value
    return Field(name, "prose" if is_long else "text", value)


def _host(value: str) -> str | None:
    """The host of a web address; None when it is none."""
    if not value.startswith(("https://", "http://")) or any(c.isspace() for c in value):
        return None
    try:
        return urlsplit(value).hostname
    except ValueError:
        return None


def _opinion(
    name: str, label: str | None, probabilities: Mapping[str, float], value: float | None
) -> Opinion:
    ordered = sorted(probabilities.items(), key=lambda pair: (-pair[1], pair[0]))
    shares = [Share(each, p, each == label) for each, p in ordered[:_SHOWN_CLASSES]]
    if not shares and label is not None:
        shares = [Share(label, None, chosen=True)]
    return Opinion(
        name,
        tuple(shares),
        None if value is None else number(value),
        max(0, len(ordered) - _SHOWN_CLASSES),
    )
