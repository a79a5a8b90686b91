"""The settings tree: a TOML file, overridden by `STREAMAL_` environment variables.

`STREAMAL_GATE__BUDGET=0.02` overrides `budget` in `[gate]`. Every quantity carries its unit in its
name, unknown keys are errors, and every problem is one line that names the key, the value and what
is allowed. What a strategy, policy or learner accepts as parameters is checked where it is built.
"""

from streamal.settings.loading import load_settings
from streamal.settings.sections import (
    BreakerSettings,
    BrokerSettings,
    EstimationSettings,
    FormatSettings,
    GateSettings,
    LabelSettings,
    LearnerSettings,
    PipelineSettings,
    Settings,
    SnapshotSettings,
    TelemetrySettings,
    TopicSettings,
    TrainerSettings,
)

__all__ = [
    "BreakerSettings",
    "BrokerSettings",
    "EstimationSettings",
    "FormatSettings",
    "GateSettings",
    "LabelSettings",
    "LearnerSettings",
    "PipelineSettings",
    "Settings",
    "SnapshotSettings",
    "TelemetrySettings",
    "TopicSettings",
    "TrainerSettings",
    "load_settings",
]
