"""The hard limit per hour: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Annotated, ClassVar, Final, TypeAlias

from streamal.core.budgets.base import BudgetPolicy, own_state, read_number
from streamal.core.budgets.wrapper import Wrapper
from streamal.core.parameters import Range
from streamal.core.types import Conditions, JsonState, Offer, Reason
from streamal.errors import SettingsInvalid

__all__ = ["HourlyLimit", "MaxPerHour", "PartitionShare"]

#: Routed items per hour over all partitions.
HourlyLimit: TypeAlias = Annotated[float, Range(low=0, open_low=True)]
#: One partition's part of the limit.
PartitionShare: TypeAlias = Annotated[float, Range(0, 1, open_low=True)]

_HOUR_SECONDS: Final = 3600.0

#: Part of the allowance that may be used at once; the rest flows in over the hour. A larger part
#: rides out longer bursts but lowers what can be kept up: in a steady stream 90 % of the limit.
_BURST_SHARE: Final = 0.1

#: Smallest allowance that leaves a whole item for the burst and a whole one for the flow.
_LEAST_ALLOWANCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A token bucket: any hour's consumption is at most `capacity` plus `hourly`."""

    capacity: float
    hourly: float
    tokens: float
    filled_at: float | None = None

    def at(self, now: float) -> _Bucket:
        """The bucket at `now`, in seconds since the Unix epoch.

        Disorder within an hour waits for the clock to catch up, so that no stretch of time is paid
        out twice. A larger step back is a clock that was corrected: its time is taken over, with
        an empty bucket, because waiting for the old time could take for ever.
        """
        if self.filled_at is None:
            return _Bucket(self.capacity, self.hourly, self.tokens, now)
        elapsed = now - self.filled_at
        if elapsed < -_HOUR_SECONDS:
            return _Bucket(self.capacity, self.hourly, min(self.tokens, 0.0), now)
        if elapsed <= 0.0:
            return self
        tokens = min(self.capacity, self.tokens + elapsed / _HOUR_SECONDS * self.hourly)
        return _Bucket(self.capacity, self.hourly, tokens, now)

    def without_one(self) -> _Bucket:
        return _Bucket(self.capacity, self.hourly, self.tokens - 1.0, self.filled_at)


class MaxPerHour(Wrapper):
    """Never routes more than the allowance in any hour, whatever another policy offers.

    A hard limit, sliding over all hours: a token bucket whose capacity (a tenth of the allowance,
    at least 1) and hourly refill add up to the allowance. So a steady stream gets nine tenths of
    it. Each partition limits itself to its share and needs to know nothing of the others.

    Formula:
        propensity = inner propensity * min(1, tokens / reserve) while there is a whole token, else
        0; the reserve is half the capacity, at least 1. Scaling down before the bucket is empty
        keeps the propensity positive for as long as possible.

    Range:
        propensity in [0, 1], 0 only with reason `rate_limited`.

    Args:
        inner: the policy that is limited.
        max_per_hour: routed items per hour over all partitions.
        share: this partition's part of it, in (0, 1].

    Examples:
        >>> from streamal.core.budgets.fixed_threshold import FixedThreshold
        >>> policy = MaxPerHour(FixedThreshold(budget=0.5), max_per_hour=2)
        >>> noon = Conditions(now=43200.0)
        >>> offer = policy.preview(0.9, noon)
        >>> policy.commit(0.9, offer, query=True, conditions=noon)
        >>> offer.propensity, policy.preview(0.9, noon).propensity
        (1.0, 0.0)

    References:
        Turner, J. S. (1986). New directions in communications (or which way to the information
        age?). IEEE Communications Magazine 24 (10), 8-15: the leaky bucket.
    """

    name: ClassVar[str] = "max_per_hour"
    zero_propensity: ClassVar[str] = "all items once the hour's allowance is used up, in any case"

    def __init__(
        self, inner: BudgetPolicy, max_per_hour: HourlyLimit, share: PartitionShare = 1.0
    ) -> None:
        super().__init__(inner)
        self.max_per_hour = max_per_hour
        self.share = share
        self.allowance = _allowance(max_per_hour, share)
        capacity = max(1.0, _BURST_SHARE * self.allowance)
        self._reserve = max(1.0, capacity / 2.0)
        self._full = _Bucket(capacity, self.allowance - capacity, capacity)
        self._bucket = self._full

    def adjusted(self, offer: Offer, conditions: Conditions) -> Offer:
        """See the class."""
        tokens = self._bucket.at(conditions.now).tokens
        if tokens >= self._reserve:
            return offer
        scale = tokens / self._reserve if tokens >= 1.0 else 0.0
        return Offer(offer.propensity * scale, offer.threshold, Reason.RATE_LIMITED)

    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:
        """See the class."""
        bucket = self._bucket.at(conditions.now)
        self._bucket = bucket.without_one() if query else bucket
        super().commit(score, offer, query=query, conditions=conditions)

    def charge(self, conditions: Conditions) -> None:
        """See `BudgetPolicy.charge`: one of the hour's."""
        self._bucket = self._bucket.at(conditions.now).without_one()
        super().charge(conditions)

    def affords(self, conditions: Conditions) -> bool:
        """Only out of what would not be missed: offers are cut down below the reserve."""
        spare = self._bucket.at(conditions.now).tokens - 1.0 >= self._reserve
        return spare and super().affords(conditions)

    def state(self) -> JsonState:
        """The inner policy's, and under `max_per_hour` the bucket."""
        bucket: JsonState = {
            "tokens": self._bucket.tokens,
            "filled_at": self._bucket.filled_at,
        }
        return {**super().state(), self.name: bucket}

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`; a smaller limit keeps what fits in its bucket."""
        super().restore(state)
        own = own_state(state, self.name)
        filled_at = own.get("filled_at")
        self._bucket = _Bucket(
            capacity=self._full.capacity,
            hourly=self._full.hourly,
            tokens=min(self._full.capacity, read_number(own, "tokens", self._full.capacity)),
            filled_at=float(filled_at) if isinstance(filled_at, (int, float)) else None,
        )


def _allowance(max_per_hour: float, share: float) -> float:
    allowance = max_per_hour * share
    # 1 / 3 of 6 is a hair below 2.
    if allowance >= _LEAST_ALLOWANCE * (1.0 - 1e-9):
        return max(allowance, _LEAST_ALLOWANCE)
    raise SettingsInvalid(
        f"gate.max_per_hour: {max_per_hour:g} leaves {allowance:.3g} for each partition; at least "
        f"{_LEAST_ALLOWANCE:g} are needed: allow {ceil(_LEAST_ALLOWANCE / share - 1e-9)} or more, "
        "or use fewer partitions"
    )
