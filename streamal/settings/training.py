"""The online model, the one trainer that writes it, and how its snapshots are signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from streamal.settings.common import Parameters, Section, comma_separated

__all__ = [
    "LearnerSettings",
    "SnapshotSettings",
    "TrainerSettings",
]


class LearnerSettings(Section):
    """The online model.

    Attributes:
        name: registered name, or `package.module:factory` of a River classifier or pipeline.
        parameters: its constructor's parameters.
        target: `label` learns the class, `error` learns P(production is wrong).
        committee_size: members of the committee, at least 2; 0 keeps none.
        committee_kind: in what the members differ: the labels they learn (`bagging`), the features
            they see (`subspaces`), or what they are (`heterogeneous`). In a regression, `bagging`.
        committee_learners: names of the members of a heterogeneous committee, each with its
            defaults, whatever committee_size is.
        warm_start: CSV or JSON-lines file of labelled rows to learn before the first label.
        warm_start_label: its column with the true class.
    """

    name: str = "default"
    parameters: Parameters = Field(default_factory=dict)
    target: Literal["label", "error"] = "label"
    committee_size: int = Field(default=0, ge=0, le=1000)
    committee_kind: Literal["bagging", "subspaces", "heterogeneous"] = "bagging"
    committee_learners: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)] = (
        "logistic_regression",
        "gaussian_nb",
        "hoeffding_adaptive_tree",
        "knn_classifier",
    )
    warm_start: Path | None = None
    warm_start_label: str = "label"


class TrainerSettings(Section):
    """The one writer of the model.

    Attributes:
        state_path: SQLite file with the pending join; a view that is rebuilt when lost. Every
            trainer needs one of its own.
        snapshot_every_labels: labels learned between two snapshots.
        snapshot_every_seconds: longest time that a learned label waits for a snapshot. However soon
            one is due, making snapshots takes a tenth of the trainer's time at most.
        heartbeat_seconds: time between two heartbeats to the gates.
        max_batch_records: most records handled in one step.
        poll_timeout_seconds: longest wait for labels.
    """

    state_path: Path = Path("streamal-state.sqlite3")
    snapshot_every_labels: int = Field(default=50, ge=1)
    snapshot_every_seconds: float = Field(default=1, gt=0)
    heartbeat_seconds: float = Field(default=10, gt=0)
    max_batch_records: int = Field(default=1000, ge=1, le=100_000)
    poll_timeout_seconds: float = Field(default=0.5, gt=0, le=60)


class SnapshotSettings(Section):
    """Authentication of model snapshots (they are pickles; see docs/decisions/0005).

    Attributes:
        signing_keys: one or more secrets of at least 16 bytes; the first signs, all verify.
        chunk_bytes: largest part of a snapshot in one record.
    """

    signing_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(comma_separated)] = ()
    chunk_bytes: int = Field(default=900_000, ge=1_000, le=100_000_000)
