"""What operations see: metrics, health, one HTTP port for both, and logs.

The only room that may import prometheus_client. May import ports, core, events and errors; neither
`broker` nor `state`.
"""

from streamal.telemetry.catalogue import CATALOGUE, LABELS, Kind, MetricSpec
from streamal.telemetry.health import Condition, Health, Report, RoleHealth
from streamal.telemetry.logs import configure_logging, log_role
from streamal.telemetry.metrics import Metrics
from streamal.telemetry.server import TelemetryServer

__all__ = [
    "CATALOGUE",
    "LABELS",
    "Condition",
    "Health",
    "Kind",
    "MetricSpec",
    "Metrics",
    "Report",
    "RoleHealth",
    "TelemetryServer",
    "configure_logging",
    "log_role",
]
