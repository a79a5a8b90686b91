"""The tables of the pending view, besides those that every view has."""

from __future__ import annotations

from typing import Final

from streamal.state.segments import SEGMENT_SCHEMA
from streamal.state.summaries import SUMMARY_SCHEMA

__all__ = ["FORGET_ALL", "SCHEMA", "SCHEMA_VERSION"]

#: Raised with every change to `SCHEMA`; a file with another number is replayed, not migrated.
SCHEMA_VERSION: Final = 6

_REVIEWS: Final = """
-- label, value and answered_at are the final answer as it stands now. Synthetic ones are of no
-- event: they are learned from, and no estimate may look at them.
CREATE TABLE reviews (
    event_id TEXT PRIMARY KEY,
    payload BLOB NOT NULL,
    occurred_at REAL NOT NULL,
    decided_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    propensity REAL NOT NULL,
    expected_correct REAL NOT NULL,
    reason TEXT NOT NULL,
    required_labels INTEGER NOT NULL,
    production_label TEXT,
    model_label TEXT,
    label TEXT,
    value REAL,
    answered_at REAL,
    production_value REAL,
    model_value REAL,
    tolerance REAL,
    expected_loss REAL,
    synthetic INTEGER NOT NULL
) STRICT;
CREATE INDEX reviews_by_expiry ON reviews (expires_at, answered_at);
CREATE INDEX reviews_by_occurrence ON reviews (occurred_at);
CREATE INDEX reviews_by_answer ON reviews (answered_at) WHERE answered_at IS NOT NULL;

CREATE TABLE windows (
    window_start REAL NOT NULL,
    window_seconds REAL NOT NULL,
    events INTEGER NOT NULL,
    routed INTEGER NOT NULL,
    unreachable INTEGER NOT NULL,
    sum_expected_correct REAL NOT NULL,
    sum_propensity REAL NOT NULL,
    sum_expected_loss REAL NOT NULL,
    PRIMARY KEY (window_start, window_seconds)
) STRICT, WITHOUT ROWID;
"""

_LABELS: Final = """
-- One row per readable record of `labels`; event_id is NULL for rulings.
CREATE TABLE labels (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    event_id TEXT,
    verdict TEXT NOT NULL,
    annotator TEXT NOT NULL,
    arrived_at REAL NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
) STRICT, WITHOUT ROWID;

-- What followed from a record: kept so that a replay below S sees the same.
CREATE TABLE effects (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    event_id TEXT,
    detail BLOB NOT NULL,
    PRIMARY KEY (topic, partition, "offset", position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_lesson ON effects (event_id) WHERE kind = 'lesson';
CREATE INDEX effects_by_event ON effects (event_id);

-- Standing answers. place orders the votes of an event; feedback is an unsolicited label's bytes.
CREATE TABLE votes (
    event_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    place INTEGER NOT NULL,
    label TEXT,
    value REAL,
    labelled_at REAL NOT NULL,
    arrived_at REAL NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    compared INTEGER NOT NULL DEFAULT 0,
    ruled INTEGER NOT NULL DEFAULT 0,
    feedback BLOB,
    PRIMARY KEY (event_id, annotator)
) STRICT, WITHOUT ROWID;
CREATE INDEX votes_by_annotator ON votes (annotator, held);

-- Every change of a final answer; NULL, NULL is "none any more".
CREATE TABLE answers (
    event_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    changed_at REAL NOT NULL,
    label TEXT,
    value REAL,
    PRIMARY KEY (event_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE disputes (
    event_id TEXT PRIMARY KEY,
    expires_at REAL NOT NULL,
    is_open INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX open_disputes ON disputes (expires_at) WHERE is_open = 1;

CREATE TABLE adjudications (
    event_id TEXT PRIMARY KEY,
    annotator TEXT NOT NULL,
    label TEXT,
    value REAL,
    labelled_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""

_ANNOTATORS: Final = """
-- wealth is the state of the collapse detector, as JSON.
CREATE TABLE annotators (
    annotator TEXT PRIMARY KEY,
    standing TEXT NOT NULL,
    since REAL NOT NULL,
    answers INTEGER NOT NULL,
    agreed REAL NOT NULL,
    compared INTEGER NOT NULL,
    gold_agreed INTEGER NOT NULL,
    gold_compared INTEGER NOT NULL,
    wealth TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest items with two answers or more, as JSON; bounded by number, never by time, so that it
-- is a function of the labels alone.
CREATE TABLE panels (
    position INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    answers TEXT NOT NULL
) STRICT;

-- One row at most: the newest fit of Dawid and Skene's model, as JSON.
CREATE TABLE fits (id INTEGER PRIMARY KEY, fit TEXT NOT NULL) STRICT;

CREATE TABLE gold (
    event_id TEXT PRIMARY KEY,
    item TEXT NOT NULL,
    expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE gold_answers (
    event_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    PRIMARY KEY (event_id, annotator)
) STRICT, WITHOUT ROWID;
"""

SCHEMA: Final = _REVIEWS + _LABELS + _ANNOTATORS + SEGMENT_SCHEMA + SUMMARY_SCHEMA

#: All but those of segments, which go with their reviews and windows.
_TABLES: Final = (
    "offsets",
    "reviews",
    "windows",
    "summaries",
    "labels",
    "effects",
    "votes",
    "answers",
    "disputes",
    "adjudications",
    "annotators",
    "panels",
    "fits",
    "gold",
    "gold_answers",
)
FORGET_ALL: Final = tuple(f"DELETE FROM {table}" for table in _TABLES)  # noqa: S608 - our own names
