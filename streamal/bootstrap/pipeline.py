"""Wires roles from settings; everything else gets what it needs as arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from streamal.bootstrap.drift import observing, watch_options
from streamal.bootstrap.labels import gold_share, judge_rules, label_rules, notices
from streamal.bootstrap.names import gate_group, topics_of, trainer_group
from streamal.bootstrap.parts import (
    asks_labelled,
    blank_model,
    first_model,
    learner_digest,
    loss_options,
    new_gate,
    new_signer,
    task_rules,
)
from streamal.core.assess import SEATS, Seats
from streamal.core.types import Task
from streamal.events import ProbabilityRules
from streamal.events.formats import FlatFormat, Format
from streamal.ports import Broker, Clock, Consumer
from streamal.roles.arrivals import Arrivals
from streamal.roles.breaker import Breaker
from streamal.roles.dead_letters import DeadLetterBox
from streamal.roles.delivery import AtLeastOnce, Delivery, ExactlyOnce
from streamal.roles.gate import GateOptions, GateRole
from streamal.roles.gate_batch import Observer
from streamal.roles.gate_state import GateStateReader
from streamal.roles.intake import Intake
from streamal.roles.lead import Lead, LeadOptions
from streamal.roles.models_topic import ModelFollower, SnapshotReader
from streamal.roles.quality import QualityOptions
from streamal.roles.questions import Questions
from streamal.roles.review_view import ReviewView
from streamal.roles.reviewing import RequiredLabels, Reviewing
from streamal.roles.segments import SegmentNames, segment_limits
from streamal.roles.synthesis import Synthesis
from streamal.roles.trainer import TrainerRole
from streamal.settings import Settings
from streamal.state.database import Location
from streamal.state.pending import PendingView
from streamal.state.snapshots import SnapshotAssembler
from streamal.telemetry.metrics import Metrics

__all__ = ["Pipeline"]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline's settings with the outside world it runs in.

    Attributes:
        settings: checked settings.
        broker: the log.
        clock: time of day.
        metrics: counts of this process.
    """

    settings: Settings
    broker: Broker
    clock: Clock
    metrics: Metrics

    def gate(self, *, instance: str, observer: Observer | None = None) -> GateRole:
        """A gate.

        Args:
            instance: name of this gate, unique among running ones; part of its transactional id.
            observer: told of every decision that was committed.
        """
        settings, gate, topics = self.settings, self.settings.gate, topics_of(self.settings)
        reviewing = self._reviewing()
        return GateRole(
            broker=self.broker,
            options=GateOptions(
                group=gate_group(settings),
                topics=topics,
                committee=Seats(**{seat: seat in gate.committee for seat in SEATS}),
                max_batch_records=gate.max_batch_records,
                poll_timeout_seconds=gate.poll_timeout_seconds,
                duplicate_memory_events=gate.duplicate_memory_events,
                window_seconds=settings.estimation.window_seconds,
                pipeline=settings.pipeline.name,
                budget=gate.budget,
                exploration=gate.exploration,
                stop_on=gate.stop_on,
            ),
            arrivals=Arrivals(
                self._intake(),
                self._dead_letters("gate"),
                Breaker(
                    gate.breaker.max_reject_share,
                    gate.breaker.window_events,
                    gate.breaker.min_events,
                ),
            ),
            questions=Questions(
                reviewing,
                gold_share(settings),
                Synthesis(gate.synthetic_share, settings.pipeline.seed, reviewing)
                if gate.synthetic_share
                else None,
            ),
            segments=SegmentNames(self._segment_limits()),
            new_gate=lambda partitions: new_gate(settings, partitions),
            states=GateStateReader(self.broker, topics.gate_state, self.clock),
            models=ModelFollower(
                self.snapshot_reader("gate"),
                lambda: blank_model(settings),
                self.clock,
                self.metrics,
            ),
            delivery=lambda: self._delivery(instance),
            observing=observing(settings),
            clock=self.clock,
            metrics=self.metrics,
            observer=observer,
        )

    def _reviewing(self) -> Reviewing:
        settings = self.settings
        return Reviewing(
            settings.pipeline.name,
            settings.gate.policy,
            settings.labels.ttl_seconds,
            RequiredLabels(
                settings.labels.required,
                {str(name): n for name, n in settings.labels.required_by_reason.items()},
                settings.labels.overlap,
                settings.pipeline.seed,
            ),
            Task(settings.pipeline.task),
            settings.pipeline.tolerance,
        )

    def log_identity(self) -> str:
        """Tells the log that a state file is a view of from every other.

        Raises:
            BrokerUnavailable: no broker answered.
        """
        admin = self.broker.admin()
        try:
            cluster = admin.cluster_id()
        finally:
            admin.close()
        topics = topics_of(self.settings)
        return f"{cluster} {topics.reviews} {topics.labels} {topics.windows}"

    def trainer(self, location: Location | None = None) -> TrainerRole:
        """A trainer.

        Args:
            location: where its SQLite view lies; None takes `trainer.state_path`.
        """
        settings, topics = self.settings, topics_of(self.settings)
        path = settings.trainer.state_path if location is None else location
        return TrainerRole(
            broker=self.broker,
            group=trainer_group(settings),
            models_topic=topics.models,
            open_pending=lambda: self.open_pending(path),
            open_view=self._feed,
            new_lead=self._lead,
            poll_timeout_seconds=settings.trainer.poll_timeout_seconds,
            clock=self.clock,
            metrics=self.metrics,
        )

    @contextmanager
    def review_view(self, location: Location) -> Iterator[ReviewView]:
        """A pending view and its feed from the log, for the length of a command."""
        pending = self.open_pending(location)
        try:
            view = self._feed(pending)
            try:
                yield view
            finally:
                view.close()
        finally:
            pending.close()

    def open_pending(self, location: Location) -> PendingView:
        """Opens a view of what was asked of people and what they answered."""
        return PendingView(
            location,
            pipeline=self.settings.pipeline.name,
            cluster=self.log_identity(),
            rules=judge_rules(self.settings),
            check=label_rules(self.settings).check,
        )

    def _feed(self, pending: PendingView) -> ReviewView:
        return ReviewView(
            self.broker,
            topics_of(self.settings),
            pending,
            self.settings.trainer.max_batch_records,
            self.metrics,
        )

    def quality_options(self) -> QualityOptions:
        """How accuracies are estimated."""
        settings = self.settings
        return QualityOptions(
            pipeline=settings.pipeline.name,
            label_horizon_seconds=settings.estimation.label_horizon_seconds,
            level=settings.estimation.level,
            least_propensity=new_gate(settings, partitions=1).policy.floor or None,
            segment_limits=self._segment_limits(),
            learns_errors=settings.learner.target == "error",
            losses=loss_options(settings),
        )

    def _lead(self, view: ReviewView, election: Consumer) -> Lead:
        settings, trainer = self.settings, self.settings.trainer
        return Lead(
            broker=self.broker,
            options=LeadOptions(
                pipeline=settings.pipeline.name,
                topics=topics_of(settings),
                transactional_id=trainer_group(settings),
                learner=settings.learner.name,
                settings_digest=learner_digest(settings),
                keep_labelled=asks_labelled(settings),
                max_batch_records=trainer.max_batch_records,
                snapshot_every_labels=trainer.snapshot_every_labels,
                snapshot_every_seconds=trainer.snapshot_every_seconds,
                heartbeat_seconds=trainer.heartbeat_seconds,
                chunk_bytes=settings.snapshots.chunk_bytes,
                retain_seconds=settings.topics.retention_seconds,
                annotator_series=settings.labels.annotator_series,
                quality=self.quality_options(),
                watch=watch_options(settings),
            ),
            view=view,
            election=election,
            reader=self.snapshot_reader("trainer"),
            new_model=lambda: first_model(settings),
            blank_model=lambda: blank_model(settings),
            signer=new_signer(settings),
            dead_letters=self._dead_letters("trainer"),
            notices=notices(settings),
            clock=self.clock,
            metrics=self.metrics,
        )

    def _segment_limits(self) -> dict[str, int]:
        estimation = self.settings.estimation
        return segment_limits(estimation.segments, estimation.segment_values, estimation.classes)

    def _format(self) -> Format:
        settings = self.settings.format
        return FlatFormat(
            settings.fields,
            ProbabilityRules(
                tolerance=settings.probability_tolerance,
                normalise=settings.normalise_probabilities,
            ),
            settings.required_features,
        )

    def _intake(self) -> Intake:
        return Intake(
            self._format(),
            task_rules(self.settings),
            self.settings.format.max_event_bytes,
            self.settings.format.max_future_seconds,
        )

    def _dead_letters(self, role: str) -> DeadLetterBox:
        settings = self.settings
        return DeadLetterBox(settings.topics.dead_letters, role, settings.broker.max_message_bytes)

    def _delivery(self, instance: str) -> Delivery:
        if self.settings.gate.delivery == "at_least_once":
            return AtLeastOnce(self.broker)
        return ExactlyOnce(self.broker, f"{gate_group(self.settings)}-{instance}")

    def snapshot_reader(self, role: str = "gate") -> SnapshotReader:
        """A reader of the pipeline's `models` topic; what it refuses counts for `role`."""
        return SnapshotReader(
            self.broker,
            self.settings.topics.models,
            lambda: SnapshotAssembler(self.settings.pipeline.name, new_signer(self.settings)),
            self.metrics,
            role,
        )
