"""Wires roles from settings; the only place that knows every part.

Everything else gets what it needs as arguments. `check_settings` finds the problems that only the
parts themselves can see, before anything connects.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import SecretStr

from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka import KafkaBroker
from streamal.broker.kafka.contact import await_broker
from streamal.core.budgets import build_budget
from streamal.core.gate import Gate
from streamal.core.learners import LabelledRow, OnlineModel, Target, build_model, warm_start
from streamal.core.strategies import build_strategy
from streamal.core.types import Decision
from streamal.errors import Reject, SettingsInvalid
from streamal.events import LabelEvent, ProbabilityRules
from streamal.events.formats import FlatFormat, Format
from streamal.events.topics import Topics
from streamal.ports import Broker, Clock, Consumer
from streamal.roles.appraisal import Appraisal, Reviewing
from streamal.roles.breaker import Breaker
from streamal.roles.dead_letters import DeadLetterBox
from streamal.roles.delivery import AtLeastOnce, Delivery, ExactlyOnce
from streamal.roles.gate import GateOptions, GateRole
from streamal.roles.gate_state import GateStateReader
from streamal.roles.intake import Intake, listed
from streamal.roles.lead import Lead, LeadOptions
from streamal.roles.models_topic import ModelFollower, SnapshotReader
from streamal.roles.quality import QualityOptions
from streamal.roles.review_view import ReviewView
from streamal.roles.trainer import TrainerRole
from streamal.settings import Settings
from streamal.state.database import Location
from streamal.state.pending import PendingView
from streamal.state.snapshots import Signer, SnapshotAssembler
from streamal.tabular import class_name, read_rows
from streamal.telemetry.metrics import Metrics

__all__ = ["Pipeline", "check_settings", "connect", "gate_group", "topics_of", "trainer_group"]

_log = logging.getLogger(__name__)


def gate_group(settings: Settings) -> str:
    """Consumer group of the gates."""
    return f"{settings.pipeline.name}-gate"


def trainer_group(settings: Settings) -> str:
    """Consumer group of the trainers; also the leader's transactional id."""
    return f"{settings.pipeline.name}-trainer"


def topics_of(settings: Settings) -> Topics:
    """The topics' names."""
    topics = settings.topics
    return Topics(
        predictions=topics.predictions,
        reviews=topics.reviews,
        labels=topics.labels,
        models=topics.models,
        gate_state=topics.gate_state,
        windows=topics.windows,
        drift=topics.drift,
        dead_letters=topics.dead_letters,
    )


def check_settings(settings: Settings) -> None:
    """Build every part once, without connecting.

    Raises:
        SettingsInvalid: with one line for each problem of any part.
    """
    problems: list[str] = []
    parts: tuple[Callable[[], object], ...] = (
        lambda: build_strategy(settings.gate.strategy, settings.gate.strategy_parameters),
        lambda: _new_gate(settings, settings.topics.predictions_partitions),
        lambda: _blank_model(settings),
        lambda: _signer(settings),
        lambda: _check_connection(settings),
        lambda: _check_files(settings),
        lambda: _check_times(settings),
    )
    for build in parts:
        try:
            build()
        except SettingsInvalid as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    if problems:
        raise SettingsInvalid(*problems)


def _check_files(settings: Settings) -> None:
    path = settings.learner.warm_start
    if path is None:
        return
    if not path.is_file():
        raise SettingsInvalid(f"learner.warm_start = '{path}': no such file")
    # A column that is missing shows in the first row, long before a trainer leads and needs it.
    next(_labelled_rows(path, settings.learner.warm_start_label), None)


def _check_times(settings: Settings) -> None:
    kept, needed = settings.topics.retention_seconds, settings.labels.ttl_seconds
    if kept <= needed:
        raise SettingsInvalid(
            f"topics.retention_seconds = {kept:.0f}: must be above labels.ttl_seconds "
            f"({needed:.0f}), or reviews are gone before their labels come"
        )

    horizon = settings.estimation.label_horizon_seconds
    if horizon > settings.labels.ttl_seconds:
        raise SettingsInvalid(
            f"estimation.label_horizon_seconds = {horizon:.0f}: at most labels.ttl_seconds "
            f"({settings.labels.ttl_seconds:.0f})"
        )


def _new_gate(settings: Settings, partitions: int) -> Gate:
    """A fresh gate for one of `partitions` partitions."""
    gate = settings.gate
    policy = build_budget(
        gate.policy,
        gate.policy_parameters,
        budget=gate.budget,
        exploration=gate.exploration,
        max_per_hour=gate.max_per_hour,
        max_pending=gate.max_pending,
        share=1 / partitions,
    )
    strategy = build_strategy(gate.strategy, gate.strategy_parameters)
    return Gate(strategy, policy, seed=settings.pipeline.seed)


def _blank_model(settings: Settings) -> OnlineModel:
    learner = settings.learner
    return build_model(
        learner.name,
        parameters=learner.parameters,
        committee_size=learner.committee_size,
        target=Target(learner.target),
        seed=settings.pipeline.seed,
    )


def _signer(settings: Settings) -> Signer:
    return Signer(*(key.get_secret_value().encode() for key in settings.snapshots.signing_keys))


def _first_model(settings: Settings) -> OnlineModel:
    """The model before the first label of the log: blank, or warm-started from a file."""
    model = _blank_model(settings)
    path = settings.learner.warm_start
    if path is not None:
        result = warm_start(model, _labelled_rows(path, settings.learner.warm_start_label))
        _log.info("warm start: learned %d rows of %s", result.learned, path)
        for detail in result.details:
            _log.warning("warm start: %s", detail)
    return model


def _labelled_rows(path: Path, label_column: str) -> Iterator[LabelledRow]:
    for number, row in enumerate(read_rows(path)):
        if label_column not in row:
            raise SettingsInvalid(f"learner.warm_start_label: {path} has no column {label_column}")
        label = row.pop(label_column)
        if label is not None:
            yield LabelledRow(f"{path.name}:{number}", row, class_name(label))


def _learner_digest(settings: Settings) -> str:
    """Digest of all that makes the model a function of the labels."""
    learner = settings.learner.model_dump(mode="json", exclude={"warm_start"})
    path = settings.learner.warm_start
    data = hashlib.sha256(path.read_bytes()).hexdigest() if path is not None else None
    document = {
        "learner": learner,
        "warm_start": data,
        "seed": settings.pipeline.seed,
        "classes": sorted(settings.pipeline.classes),
    }
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _connection(settings: Settings) -> KafkaConnection:
    broker = settings.broker
    return KafkaConnection(
        client_id=settings.pipeline.name,
        bootstrap_servers=broker.bootstrap_servers,
        security_protocol=broker.security_protocol,
        sasl_mechanism=broker.sasl_mechanism,
        sasl_username=broker.sasl_username,
        sasl_password=_revealed(broker.sasl_password),
        oauth_token_url=broker.oauth_token_url,
        oauth_client_id=broker.oauth_client_id,
        oauth_client_secret=_revealed(broker.oauth_client_secret),
        oauth_scope=broker.oauth_scope or "",
        oauth_token_factory=broker.oauth_token_factory,
        ssl_cafile=broker.ssl_cafile,
        ssl_certfile=broker.ssl_certfile,
        ssl_keyfile=broker.ssl_keyfile,
        ssl_password=_revealed(broker.ssl_password),
        ssl_check_hostname=broker.ssl_check_hostname,
        compression=broker.compression,
        request_timeout_seconds=broker.request_timeout_seconds,
        session_timeout_seconds=broker.session_timeout_seconds,
        max_poll_interval_seconds=broker.max_poll_interval_seconds,
        transaction_timeout_seconds=broker.transaction_timeout_seconds,
        max_message_bytes=broker.max_message_bytes,
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _check_connection(settings: Settings) -> None:
    problems = _connection(settings).problems()
    if problems:
        raise SettingsInvalid(*(f"broker.{problem}" for problem in problems))


@contextmanager
def connect(settings: Settings) -> Iterator[Broker]:
    """The Kafka broker of these settings, once it has answered; closed at the end.

    Raises:
        SettingsInvalid: the settings do not fit together.
        BrokerGone: no broker answered within `broker.connect_timeout_seconds`.
        Unauthorized: the broker refuses our credentials.
    """
    _check_connection(settings)
    await_broker(_connection(settings), settings.broker.connect_timeout_seconds)
    broker = KafkaBroker(_connection(settings))
    try:
        yield broker
    finally:
        broker.close()


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

    def gate(
        self, *, instance: str, observer: Callable[[Appraisal, Decision], None] | None = None
    ) -> GateRole:
        """A gate.

        Args:
            instance: name of this gate, unique among running ones; part of its transactional id.
            observer: called with every committed decision.
        """
        settings, gate, topics = self.settings, self.settings.gate, topics_of(self.settings)
        return GateRole(
            broker=self.broker,
            options=GateOptions(
                group=gate_group(settings),
                topics=topics,
                committee=gate.committee,
                max_batch_records=gate.max_batch_records,
                poll_timeout_seconds=gate.poll_timeout_seconds,
                duplicate_memory_events=gate.duplicate_memory_events,
                window_seconds=settings.estimation.window_seconds,
                pipeline=settings.pipeline.name,
                budget=gate.budget,
            ),
            intake=self._intake(),
            reviewing=Reviewing(settings.pipeline.name, gate.policy, settings.labels.ttl_seconds),
            dead_letters=self._dead_letters("gate"),
            new_gate=lambda partitions: _new_gate(settings, partitions),
            states=GateStateReader(self.broker, topics.gate_state, self.clock),
            models=ModelFollower(
                self.snapshot_reader(), lambda: _blank_model(settings), self.clock, self.metrics
            ),
            delivery=lambda: self._delivery(instance),
            breaker=Breaker(
                gate.breaker.max_reject_share,
                gate.breaker.window_events,
                gate.breaker.min_events,
            ),
            clock=self.clock,
            metrics=self.metrics,
            observer=observer,
        )

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
            open_pending=lambda: PendingView(
                path,
                pipeline=settings.pipeline.name,
                cluster=f"{','.join(sorted(settings.broker.bootstrap_servers))} "
                f"{topics.reviews} {topics.labels} {topics.windows}",
                check=self._check_label,
            ),
            open_view=lambda pending: ReviewView(
                self.broker, topics, pending, settings.trainer.max_batch_records, self.metrics
            ),
            new_lead=self._lead,
            poll_timeout_seconds=settings.trainer.poll_timeout_seconds,
            metrics=self.metrics,
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
                settings_digest=_learner_digest(settings),
                max_batch_records=trainer.max_batch_records,
                snapshot_every_labels=trainer.snapshot_every_labels,
                snapshot_every_seconds=trainer.snapshot_every_seconds,
                heartbeat_seconds=trainer.heartbeat_seconds,
                chunk_bytes=settings.snapshots.chunk_bytes,
                retain_seconds=settings.topics.retention_seconds,
                quality=QualityOptions(
                    pipeline=settings.pipeline.name,
                    label_horizon_seconds=settings.estimation.label_horizon_seconds,
                    level=settings.estimation.level,
                    least_propensity=settings.gate.budget * settings.gate.exploration or None,
                ),
            ),
            view=view,
            election=election,
            reader=self.snapshot_reader(),
            new_model=lambda: _first_model(settings),
            signer=_signer(settings),
            dead_letters=self._dead_letters("trainer"),
            clock=self.clock,
            metrics=self.metrics,
        )

    def _check_label(self, label: LabelEvent) -> None:
        """Turn away a label that this pipeline cannot learn.

        Raises:
            Reject: `unknown_class`, or `missing_prediction` for unsolicited feedback.
        """
        learns_errors = Target(self.settings.learner.target) is Target.ERROR
        if learns_errors and label.features is not None and label.prediction is None:
            raise Reject("missing_prediction", "prediction: needed with learner.target = error")
        classes = self.settings.pipeline.classes
        if classes and label.label is not None and label.label not in classes:
            raise Reject("unknown_class", f"label: {label.label!r} is none of {listed(classes)}")

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
            frozenset(self.settings.pipeline.classes),
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

    def snapshot_reader(self) -> SnapshotReader:
        """A reader of the pipeline's `models` topic."""
        return SnapshotReader(
            self.broker,
            self.settings.topics.models,
            lambda: SnapshotAssembler(self.settings.pipeline.name, _signer(self.settings)),
            self.metrics,
        )
