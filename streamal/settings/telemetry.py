"""What operations see."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from streamal.settings.common import Section

__all__ = [
    "TelemetrySettings",
]


class TelemetrySettings(Section):
    """What operations see.

    Attributes:
        host: address that /metrics, /healthz and /readyz listen on.
        port: their port; 0 picks a free one.
        hold_seconds: how long /metrics is still served after the breaker has opened, so that it is
            scraped once more; longer than the scrape interval. A signal ends it.
        log_format: `text` for people, `json` for collectors.
        log_level: least severe level that is logged.
    """

    host: str = "0.0.0.0"  # noqa: S104 - scraped from outside of its container by default
    port: int = Field(default=9464, ge=0, le=65_535)
    hold_seconds: float = Field(default=30, ge=0)
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
