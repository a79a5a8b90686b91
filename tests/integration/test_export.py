"""What was labelled leaves a real broker as a table, by the command that people run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from streamal.events import LabelEvent, ReviewRequest
from tests.support.site import SIGNING_KEY, Site

pytestmark = pytest.mark.kafka

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


def asked(site: Site, number: int) -> ReviewRequest:
    """The review of the event that occurred `number` minutes after noon."""
    moment = NOON + timedelta(minutes=number)
    return ReviewRequest.model_validate(
        {
            "event_id": f"e{number}",
            "pipeline": site.settings.pipeline.name,
            "occurred_at": moment,
            "decided_at": moment,
            "expires_at": moment + timedelta(days=7),
            "features": {"amount": number, "country": "pt"},
            "prediction": {"label": "ok", "probabilities": {"ok": 0.75, "fraud": 0.25}},
            "model": {"version": 0},
            "produced_by": {"name": "fraud", "version": "14"},
            "score": 0.5,
            "strategy": "margin",
            "policy": "quantile",
            "threshold": 0.5,
            "propensity": 0.25,
            "reason": "exploration",
            "priority": 0.5,
            "expected_correct": 0.75,
        }
    )


def answer(number: int, label: str | None, **fields: object) -> LabelEvent:
    return LabelEvent.model_validate(
        {
            "event_id": f"e{number}",
            "label": label,
            "annotator": "ann",
            "labelled_at": datetime.now(UTC),
            **fields,
        }
    )


@pytest.fixture
def site(new_site: Callable[[str], Site]) -> Site:
    """Sixty reviews; all but the last ten are answered, one answer is taken back, one revised."""
    made = new_site("")
    topics, producer = made.settings.topics, made.broker.producer()
    for number in range(60):
        review = asked(made, number)
        producer.send(topics.reviews, review.to_bytes(), key=review.event_id.encode())
    producer.flush()
    said = [answer(number, "ok" if number % 5 else "fraud") for number in range(50)]
    said += [answer(3, None, withdrawn=True), answer(4, "fraud")]
    for label in said:
        producer.send(topics.labels, label.to_bytes(), key=label.event_id.encode())
    producer.flush()
    producer.close()
    return made


def streamal(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streamal", *arguments, "-c", str(site.config)]
    environment = {"STREAMAL_SNAPSHOTS__SIGNING_KEYS": SIGNING_KEY}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_final_answers_with_their_weights(site: Site) -> None:
    target = site.folder / "labels.jsonl"
    since = (NOON + timedelta(minutes=2)).isoformat(timespec="seconds").replace("+00:00", "+0000")
    done = streamal(site, "export", "--to", str(target), "--from", since)
    assert done.returncode == 0, done.stderr
    rows = {row["event_id"]: row for row in map(orjson.loads, target.read_bytes().splitlines())}
    assert rows.keys() == {f"e{number}" for number in range(2, 50)} - {"e3"}
    assert rows["e4"]["label"] == "fraud"
    assert rows["e7"]["label"] == "ok"
    assert rows["e7"]["feature.amount"] == 7
    assert rows["e7"]["probability.fraud"] == 0.25
    assert rows["e7"]["weight"] == 4
    assert rows["e7"]["annotators"] == ["ann"]


def test_parquet(site: Site) -> None:
    target = site.folder / "labels.parquet"
    done = streamal(site, "export", "--to", str(target))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{target}: 49 rows\n"
    assert target.read_bytes()[:4] == b"PAR1"


def test_a_target_that_will_not_do(site: Site) -> None:
    done = streamal(site, "export", "--to", "labels.xlsx")
    assert done.returncode == 2
    assert done.stderr.startswith("streamal: --to = labels.xlsx: can't write this kind")
