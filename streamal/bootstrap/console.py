"""Wires the review console; imported only where its libraries are needed (`streamal[console]`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from streamal.bootstrap.labels import label_rules
from streamal.bootstrap.names import console_id, topics_of
from streamal.bootstrap.pipeline import Pipeline
from streamal.console.accounts import Account, Accounts
from streamal.console.app import make_app
from streamal.console.board import Board
from streamal.console.desk import Desk
from streamal.console.feed import Feed
from streamal.console.items import Items
from streamal.console.parts import Options, Parts
from streamal.console.role import ConsoleRole, Store
from streamal.console.schema import CONSOLE_SCHEMA, CONSOLE_VERSION
from streamal.console.server import WebServer
from streamal.console.sessions import RateLimit, Sessions
from streamal.roles.label_publisher import LabelPublisher
from streamal.roles.quality import Quality
from streamal.roles.review_view import ReviewView
from streamal.state.database import Identity, Location
from streamal.state.durable import DurableFile
from streamal.state.outbox import Outbox
from streamal.state.pending import PendingView
from streamal.telemetry.metrics import Metrics

__all__ = ["new_console"]

_MEMORY: Final = ":memory:"


def new_console(pipeline: Pipeline, location: Location | None = None) -> ConsoleRole:
    """The console of a pipeline.

    Args:
        pipeline: settings and the outside world.
        location: where its file lies; None takes `console.state_path`.
    """
    settings, topics = pipeline.settings, topics_of(pipeline.settings)
    path = settings.console.state_path if location is None else location
    return ConsoleRole(
        open_store=lambda: _open_store(pipeline, path),
        new_publisher=lambda outbox: _new_publisher(pipeline, outbox),
        new_feed=lambda items: Feed(
            pipeline.broker, topics, items, settings.console.max_batch_records
        ),
        new_board=lambda store: _new_board(pipeline, store, path),
        serve=lambda store, board, outage: _serve(pipeline, store, board, outage),
        retain_seconds=settings.topics.retention_seconds,
        poll_timeout_seconds=settings.console.poll_timeout_seconds,
        clock=pipeline.clock,
        metrics=pipeline.metrics,
    )


def _open_store(pipeline: Pipeline, path: Location) -> Store:
    settings, console = pipeline.settings, pipeline.settings.console
    file = DurableFile(
        path,
        setting="console.state_path",
        identity=Identity(settings.pipeline.name, pipeline.log_identity()),
        schema=CONSOLE_SCHEMA,
        version=CONSOLE_VERSION,
    )

    def new_desk(file: DurableFile, items: Items, outbox: Outbox) -> Desk:
        return Desk(
            file=file,
            items=items,
            outbox=outbox,
            clock=pipeline.clock,
            check=label_rules(settings).check,
            lease_seconds=console.lease_seconds,
            undo_seconds=console.undo_seconds,
            count=lambda outcome: pipeline.metrics.console_answers.labels(outcome=outcome).inc(),
        )

    return Store(file, new_desk)


def _new_publisher(pipeline: Pipeline, outbox: Outbox) -> LabelPublisher:
    return LabelPublisher(
        broker=pipeline.broker,
        topic=pipeline.settings.topics.labels,
        outbox=outbox,
        owner=console_id(pipeline.settings),
        role="console",
        max_batch_records=pipeline.settings.console.max_batch_records,
        clock=pipeline.clock,
        metrics=pipeline.metrics,
    )


def _new_board(pipeline: Pipeline, store: Store, path: Location) -> Board:
    settings, topics = pipeline.settings, topics_of(pipeline.settings)
    # The trainer exports what its view says; a second voice would make sums of it wrong.
    silent = Metrics(settings.pipeline.name, roles=())
    return Board(
        broker=pipeline.broker,
        topics=topics,
        open_pending=lambda: pipeline.open_pending(_view_path(path)),
        open_view=lambda pending: ReviewView(
            pipeline.broker, topics, pending, settings.console.max_batch_records, silent
        ),
        new_quality=lambda pending: _quality(pipeline, pending, silent),
        file=store.file,
        items=store.items,
        clock=pipeline.clock,
        budget=settings.gate.budget,
        level=settings.estimation.level,
        label_horizon_seconds=settings.estimation.label_horizon_seconds,
    )


def _quality(pipeline: Pipeline, pending: PendingView, metrics: Metrics) -> Quality:
    return Quality(pipeline.quality_options(), pending.measures, pending.segments, metrics)


def _view_path(path: Location) -> Location:
    """Beside the console's file, since it may be deleted at any time and the other may not."""
    return path.with_name(f"{path.name}-view") if isinstance(path, Path) else _MEMORY


def _serve(
    pipeline: Pipeline, store: Store, board: Board, outage: Callable[[], str | None]
) -> WebServer:
    settings, console = pipeline.settings, pipeline.settings.console
    accounts = Accounts(Account(each.name, each.role, each.token_hash) for each in console.accounts)
    parts = Parts(
        options=Options(
            pipeline=settings.pipeline.name,
            classes=settings.pipeline.classes,
            blind_review=console.blind_review,
            hide_prediction=console.hide_prediction,
            lease_seconds=console.lease_seconds,
            undo_seconds=console.undo_seconds,
            session_seconds=console.session_seconds,
            secure_cookies=console.secure_cookies,
        ),
        accounts=accounts,
        sessions=Sessions(store.file, accounts, pipeline.clock, console.session_seconds),
        logins=RateLimit(pipeline.clock, console.login_attempts_per_minute),
        desk=store.desk,
        outbox=store.outbox,
        board=board,
        clock=pipeline.clock,
        outage=outage,
    )
    app = make_app(parts, allowed_hosts=console.allowed_hosts, local=console.is_local)
    return WebServer(app, host=console.host, port=console.port)
