"""Reviews as they come from a gate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streamal.events import ReviewRequest

#: When the reviews of these tests are decided.
START = datetime(2026, 1, 1, tzinfo=UTC)


def review(event_id: str = "e1", **changes: Any) -> ReviewRequest:  # noqa: ANN401  any field
    """A review of the pipeline `mail` that expires after an hour."""
    fields: dict[str, Any] = {
        "event_id": event_id,
        "pipeline": "mail",
        "occurred_at": START,
        "decided_at": START,
        "expires_at": START + timedelta(hours=1),
        "features": {"amount": 3.5, "text": "hello"},
        "prediction": {"label": "ham", "probabilities": {"ham": 0.8, "spam": 0.2}},
        "model": {"version": 3, "label": "spam", "probabilities": {"ham": 0.4, "spam": 0.6}},
        "produced_by": {"name": "filter", "version": "7"},
        "score": 0.9,
        "strategy": "margin",
        "policy": "quantile",
        "threshold": 0.8,
        "propensity": 0.25,
        "reason": "exploration",
        "priority": 1.0,
        "expected_correct": 0.75,
        **changes,
    }
    return ReviewRequest.model_validate(fields)


@pytest.fixture
def new_review() -> Callable[..., ReviewRequest]:
    return review
