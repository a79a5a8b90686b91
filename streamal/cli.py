"""The command line. Every command prints for people, or with `--json` one document for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from streamal import __version__
from streamal.bootstrap import Pipeline, check_settings, connect, topics_of
from streamal.clock import SystemClock
from streamal.demo import DemoOptions, run_demo
from streamal.errors import BrokerGone, BrokerUnavailable, SettingsInvalid, StreamalError
from streamal.events.topics import Topics
from streamal.lab.command import backtest
from streamal.operations import schema as schemas
from streamal.operations.catalogue import Catalogue, Entry
from streamal.operations.catalogue import catalogue as read_catalogue
from streamal.operations.check import check_broker
from streamal.operations.inspect import Inspection
from streamal.operations.inspect import inspect as inspect_pipeline
from streamal.operations.topics import topic_specs
from streamal.service import ROLES, serve
from streamal.settings import Settings, load_settings
from streamal.telemetry import Metrics, configure_logging

__all__ = ["app", "main"]

app = typer.Typer(
    name="streamal",
    help="Route the predictions worth a human label, learn from the answers, and report "
    "production's accuracy without bias.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
topics_app = typer.Typer(
    help="Make and list the pipeline's topics.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(topics_app, name="topics")

#: 128 + SIGINT, as shells report an interrupted command.
_INTERRUPTED = 130

_Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="TOML file with the settings; STREAMAL_ environment variables override it.",
        show_default="built-in defaults",
    ),
]
_Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="PATH|-", help="Write one JSON document to PATH, or to stdout with -."
    ),
]


class RoleName(StrEnum):
    """What `streamal run --role` takes."""

    ALL = "all"
    GATE = "gate"
    TRAINER = "trainer"


class SchemaFormat(StrEnum):
    """What `streamal schema --format` takes."""

    JSON_SCHEMA = "json-schema"
    ASYNCAPI = "asyncapi"


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        # Typer exits by itself after a usage error (2), `typer.Exit` and an interrupt (130).
        app()
    except StreamalError as error:
        _complain(error)
        sys.exit(BrokerGone.exit_code if isinstance(error, BrokerUnavailable) else error.exit_code)


def _complain(error: StreamalError) -> None:
    lines = error.problems if isinstance(error, SettingsInvalid) else (str(error),)
    for line in lines:
        sys.stderr.write(f"streamal: {line}\n")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    config: _Config = None,
    role: Annotated[
        RoleName, typer.Option(help="Which role to run; `all` runs gate and trainer here.")
    ] = RoleName.ALL,
) -> None:
    """Run the gate, the trainer, or both until SIGTERM.

    Stops cleanly: finishes its batch, commits, leaves the group. Exit codes: 0 stopped, 2 settings,
    3 broker unreachable, 4 stopped by the breaker, 5 fenced by another process, 130 interrupted.
    """
    settings = _settings(config)
    roles = ROLES if role is RoleName.ALL else (role.value,)
    if serve(settings, roles):
        raise typer.Exit(_INTERRUPTED)


@app.command()
def demo(
    events: Annotated[
        int | None,
        typer.Option(
            min=500, help="Events to stream; default: 10,000, or all of the data when it has fewer."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the whole run.")] = 7,
    budget: Annotated[
        float, typer.Option(min=0.005, max=0.5, help="Share of events to send to review.")
    ] = 0.05,
    data: Annotated[
        Path | None, typer.Option(help="Your own recorded data: CSV or JSON lines in time order.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column of --data with the true class.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No live table.")] = False,
    json: _Json = None,
) -> None:
    """Show the whole loop on an embedded broker, in under a minute and without any set-up.

    A production model is trained on the first part of a real stream and left to go stale; half way
    the world changes. streamal routes the informative events to simulated reviewers, learns from
    their delayed and partly wrong answers, and is compared with routing the same number at random.
    """
    _check_target(json)
    options = DemoOptions(events=events, seed=seed, budget=budget, data=data, label=label)
    to_stdout = json == "-"
    console = Console(stderr=to_stdout)
    configure_logging("text", "WARNING", pipeline="demo")
    result = run_demo(options, console=None if headless else console)
    if not to_stdout:
        console.print(result.summary())
    if json is not None:
        _write_json(json, result.document())


app.command()(backtest)


@app.command()
def check(config: _Config = None) -> None:
    """Check settings, connection, topics and permissions; one line for each problem.

    Exit codes: 0 all is well, 2 something is wrong, 3 no broker answers.
    """
    settings = _settings(config)
    with _pipeline(settings) as pipeline:
        lines = check_broker(settings, pipeline.broker)
    if lines:
        raise SettingsInvalid(*lines)
    typer.echo(f"{settings.pipeline.name}: settings, connection, topics and permissions are fine")


@topics_app.command("create")
def topics_create(config: _Config = None) -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    settings = _settings(config, check=False)
    with _pipeline(settings) as pipeline:
        admin = pipeline.broker.admin()
        created = admin.create_topics(topic_specs(settings))
    for spec in topic_specs(settings):
        typer.echo(f"{'created' if spec.name in created else 'exists '}  {spec.name}")


@topics_app.command("list")
def topics_list(config: _Config = None) -> None:
    """List the pipeline's topics and whether they exist."""
    settings = _settings(config, check=False)
    with _pipeline(settings) as pipeline:
        names = [spec.name for spec in topic_specs(settings)]
        found = pipeline.broker.admin().describe_topics(names)
    for name in names:
        typer.echo(f"{'exists ' if name in found else 'missing'}  {name}")


@topics_app.command("describe")
def topics_describe(config: _Config = None, json: _Json = None) -> None:
    """Show partitions, replicas and cleanup of the topics that exist."""
    settings = _settings(config, check=False)
    with _pipeline(settings) as pipeline:
        found = pipeline.broker.admin().describe_topics(
            [spec.name for spec in topic_specs(settings)]
        )
    rows = [
        {
            "name": topic.name,
            "partitions": topic.partitions,
            "replication": topic.replication,
            "cleanup": "compact" if topic.compacted else "delete",
            "max_message_bytes": topic.max_message_bytes,
        }
        for topic in found.values()
    ]
    _show(rows, json, lambda: _table(rows))


@app.command()
def schema(
    format: Annotated[  # noqa: A002 - the option is called --format
        SchemaFormat, typer.Option("--format", help="Which document.")
    ] = SchemaFormat.JSON_SCHEMA,
    config: _Config = None,
) -> None:
    """Print the message contracts as JSON Schema, or as AsyncAPI with the topics' names."""
    if format is SchemaFormat.JSON_SCHEMA:
        document = schemas.json_schemas()
    else:
        topics = topics_of(_settings(config, check=False)) if config else Topics()
        document = schemas.asyncapi(topics)
    _write_json("-", document)


@app.command()
def catalogue(json: _Json = None) -> None:
    """List strategies, policies, learners and metrics with their parameters."""
    found = read_catalogue()
    _show(
        found.model_dump(),
        json,
        lambda: _catalogue(found),
    )


@app.command()
def inspect(config: _Config = None, json: _Json = None) -> None:
    """Show model version, offsets, pending reviews, thresholds and lag, from the topics alone."""
    settings = _settings(config)
    with _pipeline(settings) as pipeline:
        found = inspect_pipeline(pipeline)
    _show(found.model_dump(), json, lambda: _inspection(found))


def _settings(config: Path | None, *, check: bool = True) -> Settings:
    settings = load_settings(config)
    telemetry = settings.telemetry
    configure_logging(telemetry.log_format, telemetry.log_level, pipeline=settings.pipeline.name)
    if check:
        check_settings(settings)
    return settings


@contextmanager
def _pipeline(settings: Settings) -> Iterator[Pipeline]:
    with connect(settings) as broker:
        yield Pipeline(settings, broker, SystemClock(), Metrics(settings.pipeline.name))


def _show(document: object, json: str | None, for_people: Callable[[], object]) -> None:
    if json is None:
        for_people()
    else:
        _write_json(json, document)


def _check_target(target: str | None) -> None:
    """Say that a file can't be written before the work that it is for, not after.

    Raises:
        SettingsInvalid: its folder does not exist, or it is a folder itself.
    """
    path = Path(target or "-")
    if target != "-" and (path.is_dir() or not path.parent.is_dir()):
        raise SettingsInvalid(f"--json = {target!r}: cannot be written: not a file in a folder")


def _write_json(target: str, document: object) -> None:
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise SettingsInvalid(f"--json = {target!r}: cannot be written: {error}") from error


def _table(rows: list[dict[str, Any]], title: str | None = None) -> None:
    table = Table(title=title, title_justify="left")
    for column in rows[0] if rows else ("nothing",):
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row.values()))
    Console().print(table)


def _catalogue(found: Catalogue) -> None:
    _entries("Query strategies (gate.strategy)", found.strategies)
    _entries("Budget policies (gate.policy)", found.policies)
    _entries("Learners (learner.name)", found.learners)
    _metrics(found)


def _metrics(found: Catalogue) -> None:
    console = Console()
    console.print("\nMetrics (on /metrics of telemetry.port)", style="bold", markup=False)
    for metric in found.metrics:
        labels = f" by {', '.join(metric.labels)}" if metric.labels else ""
        console.print(f"  {metric.name}", style="cyan", markup=False)
        console.print(f"    {metric.type}{labels}: {metric.help}", markup=False)


def _entries(title: str, entries: list[Entry]) -> None:
    console = Console()
    console.print(f"\n{title}", style="bold", markup=False)
    for entry in entries:
        console.print(f"  {entry.name}", style="cyan", markup=False)
        console.print(f"    {entry.summary}", markup=False)
        for parameter in entry.parameters:
            allowed = f" ({parameter.allowed})" if parameter.allowed else ""
            console.print(
                f"      {parameter.name} = {parameter.default}: {parameter.description}{allowed}",
                markup=False,
            )


def _inspection(found: Inspection) -> None:
    if found.model is None:
        typer.echo(f"{found.pipeline}: no model was published yet")
    else:
        typer.echo(
            f"{found.pipeline}: model version {found.model.version} ({found.model.learner}), "
            f"{found.model.labels_learned} labels, {found.model.created_at}"
        )
    if found.refused:
        typer.echo(f"newest snapshot refused: {found.refused}")
    typer.echo(f"pending reviews: {found.pending}, labels not read yet: {found.labels_lag}")
    _table([lane.model_dump() for lane in found.gates], "gates")
