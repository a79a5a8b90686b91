"""What travels on the `models` topic besides the chunks of a snapshot."""

from __future__ import annotations

from pydantic import Field

from streamal.events.base import Event, UtcDatetime
from streamal.events.drift import DriftResponse
from streamal.events.quality import QualityReport

__all__ = ["Heartbeat", "SnapshotHeader"]


class Heartbeat(Event):
    """The trainer's measure of the human side, for the gates.

    Attributes:
        sent_at: when the trainer wrote it.
        pending: reviews that were requested and neither answered nor expired.
        response_rate: share of matured reviews that were answered in time, in [0, 1]; None before
            the first has matured.
        label_latency_seconds: median time from decision to label; None before the first label.
        quarantined: annotators whose answers are held until a lead decides.
        disputes: items whose answers disagree and that wait for a lead.
        annotator_alpha: Krippendorff's alpha of the newest items with several answers, at most 1;
            None without such items.
        answer_noise: estimated probability that a final answer is wrong; None without such items.
        answer_error: in a regression, expected distance of a final answer from the truth, in the
            truth's unit; None without such items.
        noise_dominates: whether that noise may move the accuracy estimate, in a regression that of
            the mean absolute error, by more than its interval allows.
        segments: key to the values that have a name of their own, the most frequent first; every
            gate counts by these.
        quality: what is known of production and the online model; None before a window matured.
        responses: what is done about drift for the time being.
    """

    sent_at: UtcDatetime
    pending: int = Field(ge=0)
    response_rate: float | None = Field(default=None, ge=0, le=1)
    label_latency_seconds: float | None = Field(default=None, ge=0)
    quarantined: int = Field(default=0, ge=0)
    disputes: int = Field(default=0, ge=0)
    annotator_alpha: float | None = Field(default=None, le=1)
    answer_noise: float | None = Field(default=None, ge=0, le=1)
    answer_error: float | None = Field(default=None, ge=0)
    noise_dominates: bool = False
    segments: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    quality: QualityReport | None = None
    responses: tuple[DriftResponse, ...] = ()


class SnapshotHeader(Event):
    """Describes one snapshot; its signature covers this header and the payload.

    Attributes:
        pipeline: name of the pipeline.
        version: rises by one with each snapshot of a lineage; the first is 1.
        lineage: identity of the unbroken series of labels that the model learned from.
        label_offsets: per partition of `labels` (as text), the next offset that the model has *not*
            learned.
        labels_learned: how many labels the model has learned.
        created_at: when it was taken.
        learner: registered name or factory of the learner.
        settings_digest: digest of the learner's settings; a change starts a new lineage.
        streamal: version of streamal that wrote it.
        river: version of River that wrote it.
        python: major.minor of the Python that wrote it.
        chunks: number of chunks.
        size_bytes: length of the payload.
        sha256: hex digest of the payload.
        heartbeat: the human side at that time.
    """

    pipeline: str
    version: int = Field(ge=1)
    lineage: str
    label_offsets: dict[str, int]
    labels_learned: int = Field(ge=0)
    created_at: UtcDatetime
    learner: str
    settings_digest: str
    streamal: str
    river: str
    python: str
    chunks: int = Field(ge=1)
    size_bytes: int = Field(ge=0)
    sha256: str
    heartbeat: Heartbeat
