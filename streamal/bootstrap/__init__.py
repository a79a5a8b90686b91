"""Wires roles from settings; the only place that knows every part.

Everything else gets what it needs as arguments. `check_settings` finds the problems that only the
parts themselves can see, before anything connects.
"""

from streamal.bootstrap.checks import check_settings
from streamal.bootstrap.connection import connect
from streamal.bootstrap.names import gate_group, topics_of, trainer_group
from streamal.bootstrap.pipeline import Pipeline
from streamal.bootstrap.warnings import client_warnings, settings_warnings

__all__ = [
    "Pipeline",
    "check_settings",
    "client_warnings",
    "connect",
    "gate_group",
    "settings_warnings",
    "topics_of",
    "trainer_group",
]
