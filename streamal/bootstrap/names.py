"""Names that more than one part derives from the settings."""

from __future__ import annotations

from streamal.events.topics import Topics
from streamal.settings import Settings

__all__ = ["console_id", "gate_group", "label_studio_id", "topics_of", "trainer_group"]


def gate_group(settings: Settings) -> str:
    """Consumer group of the gates."""
    return f"{settings.pipeline.name}-gate"


def trainer_group(settings: Settings) -> str:
    """Consumer group of the trainers; also the leader's transactional id."""
    return f"{settings.pipeline.name}-trainer"


def console_id(settings: Settings) -> str:
    """Prefix of the console's transactional id and group; the outbox's name follows."""
    return f"{settings.pipeline.name}-console"


def label_studio_id(settings: Settings) -> str:
    """Transactional id of the bridge to Label Studio."""
    return f"{settings.pipeline.name}-label-studio"


def topics_of(settings: Settings) -> Topics:
    """The topics' names."""
    topics = settings.topics
    return Topics(
        predictions=topics.predictions,
        reviews=topics.reviews,
        labels=topics.labels,
        models=topics.models,
        gate_state=topics.gate_state,
        windows=topics.windows,
        drift=topics.drift,
        dead_letters=topics.dead_letters,
    )
