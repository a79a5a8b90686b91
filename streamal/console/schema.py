"""The console's tables, in the one file that also holds its outbox.

`items`, `segments`, `answers` and `offsets` are a view of `reviews` and `labels`, with the answers
of this console in it before they are published. `leases`, `sessions` and `audit` are its own.
"""

from __future__ import annotations

from typing import Final

from streamal.state.outbox import OUTBOX_SCHEMA

__all__ = ["CONSOLE_SCHEMA", "CONSOLE_VERSION"]

#: Raised with every change below.
CONSOLE_VERSION: Final = 1

CONSOLE_SCHEMA: Final = f"""
{OUTBOX_SCHEMA}

CREATE TABLE offsets (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    event_id TEXT PRIMARY KEY,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL,
    priority REAL NOT NULL,
    decided_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    model_version INTEGER NOT NULL,
    required INTEGER NOT NULL,
    adjudication INTEGER NOT NULL,
    words TEXT NOT NULL,
    answered INTEGER NOT NULL DEFAULT 0,
    done_at REAL
) STRICT;
CREATE INDEX items_in_order ON items (priority DESC, decided_at) WHERE done_at IS NULL;
CREATE INDEX items_by_expiry ON items (expires_at);
CREATE INDEX items_by_decision ON items (decided_at);

CREATE TABLE segments (
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (event_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX segments_by_value ON segments (name, value);

CREATE TABLE answers (
    event_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    kind TEXT NOT NULL,
    answer TEXT,
    note TEXT,
    answered_at REAL NOT NULL,
    sequence INTEGER,
    PRIMARY KEY (event_id, annotator)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_time ON answers (answered_at);

CREATE TABLE leases (
    event_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (event_id, annotator)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    annotator TEXT NOT NULL,
    action TEXT NOT NULL,
    event_id TEXT NOT NULL,
    answer TEXT,
    note TEXT,
    sequence INTEGER NOT NULL,
    undone TEXT
) STRICT;
CREATE INDEX audit_by_annotator ON audit (annotator, id);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    account_hash TEXT NOT NULL,
    csrf TEXT NOT NULL,
    expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""
