"""Topics as they are made, and what is wrong with those that exist."""

from __future__ import annotations

from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.operations.topics import problems, topic_specs
from streamal.ports import TopicDescription
from streamal.settings import Settings


def created(settings: Settings) -> dict[str, TopicDescription]:
    admin = MemoryBroker(ManualClock()).admin()
    admin.create_topics(topic_specs(settings))
    return admin.describe_topics([spec.name for spec in topic_specs(settings)])


def test_what_is_created_has_no_problems() -> None:
    assert problems(Settings(), created(Settings())) == []


def test_one_topic_for_each_name() -> None:
    names = {spec.name for spec in topic_specs(Settings())}
    settings = Settings().topics
    assert names == {value for _, value in settings if isinstance(value, str)}


def test_shapes() -> None:
    settings = Settings.model_validate(
        {
            "topics": {
                "predictions_partitions": 6,
                "labels_partitions": 2,
                "replication": 3,
                "retention_seconds": 10.5,
            },
            "broker": {"max_message_bytes": 2_000_000},
        }
    )
    specs = {spec.name: spec for spec in topic_specs(settings)}
    assert {name: spec.partitions for name, spec in specs.items()} == {
        "predictions": 6,
        "reviews": 6,
        "gate-state": 6,
        "labels": 2,
        "models": 1,
        "windows": 1,
        "drift": 1,
        "dead-letters": 1,
    }
    assert {spec.replication for spec in specs.values()} == {3}
    compacted = {name for name, spec in specs.items() if spec.config["cleanup.policy"] == "compact"}
    assert compacted == {"models", "gate-state"}
    assert {
        spec.config["retention.ms"] for name, spec in specs.items() if name not in compacted
    } == {"10500"}
    assert specs["dead-letters"].config["max.message.bytes"] == "2000000"


def test_what_is_missing() -> None:
    settings = Settings()
    found = created(settings)
    del found["windows"]
    assert problems(settings, found) == [
        "topics: 'windows' does not exist; `streamal topics create` makes it"
    ]
    assert len(problems(settings, {})) == 8


def described(name: str, partitions: int, *, compacted: bool) -> TopicDescription:
    return TopicDescription(
        name=name,
        partitions=partitions,
        replication=1,
        compacted=compacted,
        max_message_bytes=1_000_000,
    )


def test_what_has_the_wrong_shape() -> None:
    settings = Settings.model_validate({"gate": {"max_per_hour": 9}})
    found = created(settings) | {
        "models": described("models", 3, compacted=False),
        "gate-state": described("gate-state", 4, compacted=False),
        "predictions": described("predictions", 5, compacted=False),
    }
    lines = problems(settings, found)
    assert [line.split(":")[0] for line in lines] == [
        "topics",
        "topics",
        "topics.models = 'models'",
        "gate.max_per_hour = 9",
    ]
    assert "must have exactly 1" in lines[2]


def test_partitions_of_predictions_are_productions_choice() -> None:
    found = created(Settings()) | {"predictions": described("predictions", 50, compacted=False)}
    assert problems(Settings(), found) == []


def test_reviews_and_dead_letters_must_take_the_largest_event() -> None:
    settings = Settings()
    found = created(settings) | {
        "reviews": described("reviews", 4, compacted=False),
        "dead-letters": described("dead-letters", 1, compacted=False),
    }
    lines = problems(settings, found)
    assert [line.split(" takes")[0] for line in lines] == [
        "topics: 'reviews'",
        "topics: 'dead-letters'",
    ]
    assert "set max.message.bytes to 1114112 or more" in lines[0]
    smaller = Settings.model_validate({"format": {"max_event_bytes": 100_000}})
    assert problems(smaller, found) == []
