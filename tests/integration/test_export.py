"""What was labelled leaves a real broker as a table and as a page, by commands that people run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from streamal.events import LabelEvent, ReviewRequest, WindowStats
from tests.support.site import SIGNING_KEY, Site

pytestmark = pytest.mark.kafka

NOON = (datetime.now(UTC) - timedelta(hours=12)).replace(minute=0, second=0, microsecond=0)


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
    made = new_site("[estimation]\nlabel_horizon_seconds = 7200\n")
    topics, producer = made.settings.topics, made.broker.producer()
    for number in range(60):
        review = asked(made, number)
        producer.send(topics.reviews, review.to_bytes(), key=review.event_id.encode())
    counted = WindowStats(
        pipeline=made.settings.pipeline.name,
        partition=0,
        window_start=NOON,
        window_seconds=3600,
        events=240,
        routed=60,
        unreachable=0,
        sum_expected_correct=180,
        sum_propensity=60,
    )
    producer.send(topics.windows, counted.to_bytes(), key=b"0")
    producer.flush()
    answered_ms = round((NOON + timedelta(hours=1)).timestamp() * 1000)
    said = [answer(number, "ok" if number % 5 else "fraud") for number in range(50)]
    said += [answer(3, None, withdrawn=True), answer(4, "fraud")]
    for label in said:
        producer.send(
            topics.labels,
            label.to_bytes(),
            key=label.event_id.encode(),
            timestamp_ms=answered_ms,
        )
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


def test_a_page_about_the_period(site: Site) -> None:
    target = site.folder / "report.html"
    until = (NOON + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "+0000")
    period = ("--from", NOON.strftime("%Y-%m-%d"), "--until", until)
    done = streamal(site, "report", "--to", str(target), *period, "--price-per-label", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{target}: 240 events, 49 labelled\n"
    page = target.read_text()
    assert "<td>98.00</td>" in page
    # Four in five are right, with one taken back and one revised.
    assert re.search(r"Production was right</td><td>7[0-9]\.\d%", page)


def test_a_period_that_ends_before_it_begins(site: Site) -> None:
    period = ("--from", "2026-01-02", "--until", "2026-01-01")
    done = streamal(site, "report", "--to", "report.html", *period)
    assert done.returncode == 2
    assert done.stderr == "streamal: --from: must lie before --until\n"


def test_a_target_that_will_not_do(site: Site) -> None:
    done = streamal(site, "export", "--to", "labels.xlsx")
    assert done.returncode == 2
    assert done.stderr.startswith("streamal: --to = labels.xlsx: can't write this kind")
