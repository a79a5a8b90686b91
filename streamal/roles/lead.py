"""The leading trainer: learns each label exactly once per lineage and publishes the model.

A new leader starts reading `labels` at the least of three offsets (see `streamal.state.pending`)
and does with each record only what is still missing: register it (below S it is), learn it (below L
it is), report it (below G it is). G moves in the Kafka transaction that carries what is reported.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streamal.core.learners import Model
from streamal.errors import SnapshotRefused, StreamalError
from streamal.events import DriftEvent, Heartbeat
from streamal.events.topics import Topics
from streamal.ports import Broker, Clock, Consumer, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.dead_letters import DeadLetterBox
from streamal.roles.drift_watch import DriftWatch, Findings, WatchOptions, report_drift
from streamal.roles.label_backlog import register_backlog
from streamal.roles.lineage import Lineage
from streamal.roles.models_topic import SnapshotReader, show_model, show_snapshot
from streamal.roles.news import News
from streamal.roles.notices import Notices
from streamal.roles.pace import Pace
from streamal.roles.quality import Quality, QualityOptions
from streamal.roles.relearning import relearn
from streamal.roles.review_view import ReviewView
from streamal.roles.workforce import show_responses, show_workforce, with_workforce
from streamal.state.snapshots import (
    Message,
    Signer,
    dump,
    new_header,
    pack,
    pack_heartbeat,
    pack_memory,
)
from streamal.state.verdicts import Rejected
from streamal.telemetry.metrics import Metrics, exemplar

__all__ = ["Lead", "LeadOptions"]

_log = logging.getLogger(__name__)

#: Seconds between two purges, which look at every row; what they delete has waited for days.
_PURGE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class LeadOptions:
    """Settings of the leading trainer, see `streamal.settings`.

    Attributes:
        settings_digest: digest of all that makes the model a function of the labels; a snapshot
            with another one starts a new lineage.
        keep_labelled: whether the model remembers labelled items for the gate's strategy. Not part
            of the digest: another strategy goes on with the same model, whose memory then fills.
        retain_seconds: how long an expired review is kept for estimates.
        annotator_series: how many annotators metrics show by name.
    """

    pipeline: str
    topics: Topics
    transactional_id: str
    learner: str
    settings_digest: str
    keep_labelled: bool
    max_batch_records: int
    snapshot_every_labels: int
    snapshot_every_seconds: float
    heartbeat_seconds: float
    chunk_bytes: int
    retain_seconds: float
    quality: QualityOptions
    watch: WatchOptions
    annotator_series: int


class Lead:
    """One term of leadership; made anew whenever leadership or a commit was lost.

    Args:
        broker: the log.
        options: settings.
        view: the pending view and its feed.
        election: the group member that was elected; its generation fences our transactions.
        reader: reads the `models` topic.
        new_model: makes a model that has learned no label of the log.
        blank_model: makes a model that has learned nothing, for a reset after a drift.
        signer: signs snapshots.
        dead_letters: writes dead letters.
        notices: tells people about labels.
        clock: time of day.
        metrics: counts.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        options: LeadOptions,
        view: ReviewView,
        election: Consumer,
        reader: SnapshotReader,
        new_model: Callable[[], Model],
        blank_model: Callable[[], Model],
        signer: Signer,
        dead_letters: DeadLetterBox,
        notices: Notices,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._notices = notices
        self._options = options
        self._view = view
        self._election = election
        self._signer = signer
        self._blank_model = blank_model
        self._dead_letters = dead_letters
        self._clock = clock
        self._metrics = metrics
        # Fencing comes before reading: what an older leader left open is resolved by it, and
        # nothing of that leader's can follow what is read below.
        self._producer = broker.transactional_producer(options.transactional_id)
        try:
            self._labels = broker.consumer()
        except StreamalError:
            close_all(self._producer.close)
            raise
        try:
            reader.catch_up()
            self._lineage = self._take_up(reader, new_model)
            self._reported = self._seek()
            register_backlog(self._labels, view, self._reported, options.max_batch_records)
            self._quality, self._watch = self._take_up_quality(reader)
        except StreamalError:
            self.close()
            raise
        finally:
            reader.close()
        now = clock.now()
        self._snapshot_due = now + options.snapshot_every_seconds
        self._snapshots = Pace()
        # At once, so that whatever is published has a heartbeat to carry.
        self._heartbeat_due = now
        self._heartbeats = Pace()
        self._lag_due = now
        self._purge_due = now + _PURGE_SECONDS
        #: Whether more labels are waiting, as far as the last step has seen.
        self.is_behind = False
        #: The last one of this term; a snapshot carries it along.
        self._heartbeat: Heartbeat | None = None

    @property
    def quality(self) -> Quality:
        """How well production and the online model are doing."""
        return self._quality

    @property
    def lineage(self) -> Lineage:
        """The model and how far it has learned."""
        return self._lineage

    def step(self, timeout_seconds: float) -> None:
        """Learn a batch of labels; publish what is due, in one transaction.

        Raises:
            Retriable: this term is over; make a new `Lead`.
            Fenced: another trainer leads.
        """
        records = self._labels.poll(timeout_seconds, self._options.max_batch_records)
        self.is_behind = len(records) == self._options.max_batch_records
        news = self._learn(records) if records else News()
        self._publish(records, news)

    def finish(self) -> None:
        """Publish what was learned since the last snapshot."""
        if self._lineage.unpublished:
            self._publish([], News(), closing=True)

    def close(self) -> None:
        """End the term; what was not committed is dropped."""
        close_all(self._producer.abort, self._producer.close, self._labels.close)

    def _take_up(self, reader: SnapshotReader, new_model: Callable[[], Model]) -> Lineage:
        """The published lineage, or a new one where this process may not continue it."""
        snapshot, why_not = reader.snapshot, reader.refusal
        if snapshot is not None and why_not is None:
            if snapshot.header.settings_digest != self._options.settings_digest:
                why_not = "the learner's settings changed"
            else:
                try:
                    lineage = Lineage.of(snapshot, self._options.topics.labels)
                    lineage.model.keep_labelled(on=self._options.keep_labelled)
                except SnapshotRefused as refused:
                    why_not = str(refused)
                else:
                    show_snapshot(self._metrics, "trainer", snapshot.header)
                    return lineage
        if why_not is not None:
            _log.warning("learning anew from all labels that are kept: %s", why_not)
        self._view.start_over()
        return Lineage.new(new_model(), snapshot.header.version if snapshot else 0)

    def _take_up_quality(self, reader: SnapshotReader) -> tuple[Quality, DriftWatch]:
        """Close again, without a word, the windows that the last leader has reported."""
        self._view.catch_up()
        pending = self._view.pending
        quality = Quality(self._options.quality, pending.measures, pending.segments, self._metrics)
        watch = DriftWatch(self._options.watch, pending, self._metrics)
        self._listed: Mapping[str, tuple[str, ...]] = {}
        if reader.heartbeat is not None:
            self._listed = reader.heartbeat.segments
            reported = reader.heartbeat.sent_at.timestamp()
            watch.take_up(reader.memory, quality.advance(reported), reported)
        return quality, watch

    def _seek(self) -> dict[TopicPartition, int]:
        """Go to the least of S, L and G in each partition of `labels`; return G."""
        topic = self._options.topics.labels
        sources = [TopicPartition(topic, number) for number in self._labels.partitions_for(topic)]
        self._labels.assign(sources)
        first = self._labels.beginning_offsets(sources)
        registered = self._view.pending.offsets()
        committed = self._election.committed(sources)
        for source in sources:
            learned = self._lineage.offsets.get(source, 0)
            start = min(registered.get(source, 0), learned, committed[source] or 0)
            self._labels.seek(source, max(start, first[source]))
        return {source: committed[source] or 0 for source in sources}

    def _learn(self, records: Sequence[Record]) -> News:
        self._view.catch_up()
        registered = self._view.pending.register_labels(records)
        answers, rejects = [], list(registered.rejects)
        for answer in registered.answers:
            unlearned = self._lineage.learn(answer)
            # One dead letter for a record, however many of its lessons cannot be learned.
            rejects += [Rejected(answer.record, reject) for reject in unlearned[:1]]
            if not unlearned:
                answers.append(answer)
        # After the answers: passing over a later record first would pass over them as well.
        for record, _ in registered.rejects:
            self._lineage.pass_over(record.source, record.offset)
        return News(
            tuple(answer for answer in answers if self._is_new(answer.record)),
            tuple(reject for reject in rejects if self._is_new(reject.record)),
            tuple(
                effect
                for answer in registered.answers
                if self._is_new(answer.record)
                for effect in answer.effects
            ),
        )

    def _is_new(self, record: Record) -> bool:
        return record.offset >= self._reported[record.source]

    def _snapshot_is_due(self, now: float) -> bool:
        unpublished = self._lineage.unpublished
        if self._lineage.version == 0 and self._lineage.model.labels_learned:
            return True  # a warm start is worth serving before the first label
        if not unpublished or not self._snapshots.may(now):
            return False
        return unpublished >= self._options.snapshot_every_labels or now >= self._snapshot_due

    def _publish(self, records: Sequence[Record], news: News, *, closing: bool = False) -> None:
        """One transaction with the dead letters, the heartbeat or snapshot, drift, and G.

        Windows are looked at with a heartbeat and only then: by when it was sent a new leader knows
        which of them were reported.
        """
        now = self._clock.now()
        offsets = {record.source: record.offset + 1 for record in records if self._is_new(record)}
        snapshot = closing or self._snapshot_is_due(now)
        beats = now >= self._heartbeat_due or (snapshot and self._heartbeats.may(now))
        findings = self._look(now) if beats else Findings()
        snapshot = self._relearn(findings) or snapshot
        began = self._clock.now()
        messages = self._messages(now, snapshot=snapshot, beats=beats)
        if not offsets and not messages:
            return
        self._producer.begin()
        for record, reject in news.dead_letters():
            self._dead_letters.send(self._producer, record, reject)
        self._notices.send(self._producer, news.effects)
        for message in (*messages, *(self._memory() if beats else ())):
            self._producer.send(
                self._options.topics.models,
                message.value,
                key=message.key,
                headers=message.headers,
                partition=0,
            )
        for drift in findings.events:
            self._send_drift(drift)
        self._producer.commit(offsets, self._election.group_metadata())
        self._metrics.transactions.labels(role="trainer", outcome="committed").inc()
        self._reported.update(offsets)
        if beats:
            self._heartbeat_due = now + self._options.heartbeat_seconds
            self._measure_lag(now)
        if snapshot:
            self._snapshots.spent(began, self._clock.now())
            self._after_snapshot(now, messages)
        self._report(news)
        for drift in findings.events:
            report_drift(self._metrics, drift)

    def _relearn(self, findings: Findings) -> bool:
        """Do with the model what a drift asks for; whether it has to be published now."""
        if findings.relearn == "keep":
            return False
        self._lineage = relearn(
            self._lineage,
            findings.relearn,
            self._view.pending.learned,
            findings.since,
            self._blank_model,
        )
        return True

    def _send_drift(self, drift: DriftEvent) -> None:
        self._producer.send(
            self._options.topics.drift, drift.to_bytes(), key=drift.detector.encode()
        )

    def _look(self, now: float) -> Findings:
        """Close the windows that have matured and take stock of the human side."""
        findings = self._watch.look(self._quality.advance(now), now)
        self._heartbeat = self._new_heartbeat(now)
        self._heartbeats.spent(now, self._clock.now())
        return findings

    def _messages(self, now: float, *, snapshot: bool, beats: bool) -> list[Message]:
        """What is due for the `models` topic."""
        heartbeat = self._heartbeat
        if heartbeat is None or not (snapshot or beats):
            return []
        if snapshot:
            return self._snapshot(now, heartbeat)
        return [pack_heartbeat(self._options.pipeline, heartbeat, self._signer)]

    def _memory(self) -> list[Message]:
        """What the watch for drift remembers, if it remembers anything new."""
        memory = self._watch.fresh_memory()
        if memory is None:
            return []
        return [pack_memory(self._options.pipeline, memory, self._signer)]

    def _new_heartbeat(self, now: float) -> Heartbeat:
        pending = self._view.pending
        production, losses = self._quality.production.anytime(), self._quality.losses
        error = None if losses is None else losses.production.anytime()
        workforce = pending.workforce(now)
        show_workforce(self._metrics, workforce, production, self._options.annotator_series, error)
        self._listed = pending.segments.listed(self._options.quality.segment_limits, self._listed)
        heartbeat = with_workforce(
            pending.measures.heartbeat(now), workforce, production, error
        ).model_copy(
            update={
                "segments": self._listed,
                "quality": self._quality.report,
                "responses": self._watch.responses(now),
            }
        )
        self._metrics.pending.set(heartbeat.pending)
        show_responses(self._metrics, pending.measures, now)
        if heartbeat.response_rate is not None:
            self._metrics.response_rate.set(heartbeat.response_rate)
        return heartbeat

    def _snapshot(self, now: float, heartbeat: Heartbeat) -> list[Message]:
        lineage = self._lineage
        header = new_header(
            pipeline=self._options.pipeline,
            version=lineage.version + 1,
            lineage=lineage.name,
            label_offsets=lineage.offsets,
            labels_learned=lineage.model.labels_learned,
            created_at=datetime.fromtimestamp(now, UTC),
            learner=self._options.learner,
            settings_digest=self._options.settings_digest,
            heartbeat=heartbeat,
        )
        return pack(
            header,
            dump(lineage.model),
            self._signer,
            chunk_bytes=self._options.chunk_bytes,
            previous_chunks=lineage.chunks,
        )

    def _after_snapshot(self, now: float, messages: Sequence[Message]) -> None:
        chunks = sum(message.value is not None for message in messages) - 1
        self._lineage.published(chunks)
        self._snapshot_due = now + self._options.snapshot_every_seconds
        if now >= self._purge_due:
            self._view.pending.purge(now - self._options.retain_seconds, self._lineage.offsets)
            self._purge_due = now + _PURGE_SECONDS
        size = sum(len(message.value or b"") for message in messages)
        self._metrics.snapshots_published.inc()
        self._metrics.snapshot_bytes.set(size)
        show_model(
            self._metrics,
            "trainer",
            version=self._lineage.version,
            created_at=now,
            labels=self._lineage.model.labels_learned,
        )
        _log.info(
            "published model version %d: %d labels, %d bytes",
            self._lineage.version,
            self._lineage.model.labels_learned,
            size,
        )

    def _measure_lag(self, now: float) -> None:
        """Not with every snapshot: the question waits for the fetch that waits for labels."""
        if now < self._lag_due:
            return
        self._lag_due = now + self._options.heartbeat_seconds
        for source, end in self._labels.end_offsets(list(self._reported)).items():
            lag = max(0, end - self._labels.position(source))
            self._metrics.lag.labels(
                role="trainer", topic=source.topic, partition=str(source.partition)
            ).set(lag)

    def _report(self, news: News) -> None:
        """Count what was committed."""
        outcomes = Counter(answer.verdict.value for answer in news.answers)
        outcomes["rejected"] = len(news.rejects)
        for outcome, count in outcomes.items():
            self._metrics.labels.labels(outcome=outcome).inc(count)
        latencies = [pair for answer in news.answers for pair in answer.latencies_seconds]
        self._metrics.label_latency_seconds.observe_all(
            [latency for _, latency in latencies], lambda number: exemplar(latencies[number][0])
        )
        for record, reject in news.dead_letters():
            self._metrics.rejected.labels(role="trainer", reason=reject.reason).inc()
            _log.debug("label at offset %d rejected: %s", record.offset, reject)
