"""The settings tree: every section with its defaults."""

from __future__ import annotations

from typing import Final

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streamal.settings.broker import BrokerSettings, TopicSettings
from streamal.settings.console import ConsoleSettings
from streamal.settings.drift import DriftSettings
from streamal.settings.estimation import EstimationSettings
from streamal.settings.gate import GateSettings
from streamal.settings.label_studio import LabelStudioSettings
from streamal.settings.labels import LabelSettings
from streamal.settings.pipeline import FormatSettings, PipelineSettings
from streamal.settings.telemetry import TelemetrySettings
from streamal.settings.training import LearnerSettings, SnapshotSettings, TrainerSettings

__all__ = [
    "ENV_DELIMITER",
    "ENV_PREFIX",
    "Settings",
]


ENV_PREFIX: Final = "STREAMAL_"
ENV_DELIMITER: Final = "__"


class Settings(BaseSettings):
    """Everything that can be set; `load_settings` reads it from file and environment."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    pipeline: PipelineSettings = PipelineSettings()
    broker: BrokerSettings = BrokerSettings()
    topics: TopicSettings = TopicSettings()
    format: FormatSettings = FormatSettings()
    gate: GateSettings = GateSettings()
    learner: LearnerSettings = LearnerSettings()
    labels: LabelSettings = LabelSettings()
    trainer: TrainerSettings = TrainerSettings()
    snapshots: SnapshotSettings = SnapshotSettings()
    estimation: EstimationSettings = EstimationSettings()
    console: ConsoleSettings = ConsoleSettings()
    label_studio: LabelStudioSettings = LabelStudioSettings()
    drift: DriftSettings = DriftSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments alone: a demo or a test must not see a user's environment."""
        return (init_settings,)
