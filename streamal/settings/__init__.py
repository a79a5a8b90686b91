"""The settings tree: a TOML file, overridden by `STREAMAL_` environment variables.

`STREAMAL_GATE__BUDGET=0.02` overrides `budget` in `[gate]`. Every quantity carries its unit in its
name, unknown keys are errors, and every problem is one line that names the key, the value and what
is allowed. What a strategy, policy or learner accepts as parameters is checked where it is built.
"""

from streamal.settings.broker import BrokerSettings, TopicSettings
from streamal.settings.console import AccountSettings, ConsoleSettings
from streamal.settings.drift import DataDriftSettings, DriftSettings, ResponseSettings
from streamal.settings.estimation import EstimationSettings
from streamal.settings.gate import BreakerSettings, GateSettings
from streamal.settings.label_studio import LabelStudioSettings
from streamal.settings.labels import GoldSettings, GuardSettings, LabelSettings
from streamal.settings.loading import load_settings
from streamal.settings.pipeline import FormatSettings, PipelineSettings
from streamal.settings.telemetry import TelemetrySettings
from streamal.settings.training import LearnerSettings, SnapshotSettings, TrainerSettings
from streamal.settings.tree import Settings

__all__ = [
    "AccountSettings",
    "BreakerSettings",
    "BrokerSettings",
    "ConsoleSettings",
    "DataDriftSettings",
    "DriftSettings",
    "EstimationSettings",
    "FormatSettings",
    "GateSettings",
    "GoldSettings",
    "GuardSettings",
    "LabelSettings",
    "LabelStudioSettings",
    "LearnerSettings",
    "PipelineSettings",
    "ResponseSettings",
    "Settings",
    "SnapshotSettings",
    "TelemetrySettings",
    "TopicSettings",
    "TrainerSettings",
    "load_settings",
]
