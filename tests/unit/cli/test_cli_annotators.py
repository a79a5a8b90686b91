"""`streamal annotators`: what it shows, and that a decision reaches the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamal.broker.memory import MemoryBroker
from streamal.events import AnnotatorRuling, LabelEvent
from streamal.ports import TopicPartition

Run = Callable[..., Any]


def write(broker: MemoryBroker, event_id: str, annotator: str, label: str) -> None:
    event = LabelEvent(
        event_id=event_id,
        label=label,
        annotator=annotator,
        labelled_at=datetime(2026, 3, 2, tzinfo=UTC),
        features={"x": 1.0},
    )
    producer = broker.producer()
    producer.send("labels", event.to_bytes(), key=event_id.encode())
    producer.flush()
    producer.close()


def test_list(run_command: Run, config_file: Path, stand_in: MemoryBroker) -> None:
    run_command("topics", "create", "-c", str(config_file))
    nobody = run_command("annotators", "list", "-c", str(config_file))
    assert (nobody.code, "alpha: not known yet" in nobody.out) == (0, True)
    write(stand_in, "own", "ann", "yes")
    found = json.loads(run_command("annotators", "list", "-c", str(config_file), "--json", "-").out)
    (ann,) = found["annotators"]
    assert (ann["annotator"], ann["standing"], ann["answers"]) == ("ann", "trusted", 1)
    assert found["pairs"] == []


def test_a_decision_reaches_the_log(
    run_command: Run, config_file: Path, stand_in: MemoryBroker
) -> None:
    run_command("topics", "create", "-c", str(config_file))
    for ruling in ("quarantine", "release", "dismiss"):
        done = run_command("annotators", ruling, "mal", "--by", "lead", "-c", str(config_file))
        assert (done.code, done.out) == (0, f"{ruling}: mal, by lead; on labels\n")
    consumer = stand_in.consumer()
    consumer.assign([TopicPartition("labels", 0)])
    rulings = [AnnotatorRuling.from_bytes(each.value).ruling for each in consumer.poll(0.0, 10)]
    assert rulings == ["quarantine", "release", "dismiss"]
    consumer.close()
    found = json.loads(run_command("annotators", "list", "-c", str(config_file), "--json", "-").out)
    assert [each["standing"] for each in found["annotators"]] == ["dismissed"]


def test_only_leads_decide(
    run_command: Run,
    config_file: Path,
    stand_in: MemoryBroker,  # noqa: ARG001 - stands in for Kafka
) -> None:
    text = config_file.read_text(encoding="utf-8")
    config_file.write_text(f'{text}\n[labels]\nleads = ["lead"]\n', encoding="utf-8")
    run_command("topics", "create", "-c", str(config_file))
    refused = run_command("annotators", "dismiss", "mal", "--by", "mal", "-c", str(config_file))
    assert refused.code == 2
    assert refused.err == "streamal: --by = 'mal': is not one of labels.leads\n"
    nobody = run_command("annotators", "dismiss", "mal", "-c", str(config_file))
    assert nobody.code == 2
