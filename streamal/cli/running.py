"""Commands that run roles: `run`, `demo`, and `check` before them."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamal.cli.common import (
    Config,
    Json,
    check_target,
    open_pipeline,
    read_settings,
    write_json,
)
from streamal.errors import SettingsInvalid

if TYPE_CHECKING:
    from streamal.demo import DemoResult

__all__ = ["check", "demo", "run"]


#: 128 + SIGINT, as shells report an interrupted command.
_INTERRUPTED = 130


class RoleName(StrEnum):
    """What `streamal run --role` takes."""

    ALL = "all"
    GATE = "gate"
    TRAINER = "trainer"
    CONSOLE = "console"
    LABEL_STUDIO = "label-studio"


def run(
    config: Config = None,
    role: Annotated[
        RoleName,
        typer.Option(
            help="Which role to run; `all` runs gate and trainer here, and the console if "
            "console.enabled; `label-studio` the bridge to Label Studio."
        ),
    ] = RoleName.ALL,
) -> None:
    """Run the gate, the trainer, the review console, or the bridge to Label Studio until SIGTERM.

    Stops cleanly: finishes its batch, commits, leaves the group. Exit codes: 0 stopped, 2 settings,
    3 broker unreachable, 4 stopped by the breaker, 5 fenced by another process, 130 interrupted.
    """
    from streamal.service import ROLES, serve

    settings = read_settings(config)
    roles: tuple[str, ...] = (role.value,)
    if role is RoleName.ALL:
        roles = (*ROLES, RoleName.CONSOLE.value) if settings.console.enabled else ROLES
    if serve(settings, roles):
        raise typer.Exit(_INTERRUPTED)


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
    headless: Annotated[
        bool, typer.Option("--headless", help="No live table, no review page.")
    ] = False,
    json: Json = None,
) -> None:
    """Show the whole loop on an embedded broker, in under a minute and without any set-up.

    A production model is trained on the first part of a real stream and left to go stale; half way
    the world changes. streamal routes the informative events to simulated reviewers, learns from
    their delayed and partly wrong answers, and is compared with routing the same number at random.
    With streamal[console] you can review some of them yourself, in a browser; on a terminal that
    goes on until Ctrl-C.
    """
    from rich.console import Console

    from streamal.demo import DemoOptions, run_demo
    from streamal.telemetry import configure_logging

    check_target(json)
    options = DemoOptions(events=events, seed=seed, budget=budget, data=data, label=label)
    to_stdout = json == "-"
    console = Console(stderr=to_stdout)
    configure_logging("text", "WARNING", pipeline="demo")

    def report(result: DemoResult) -> None:
        if not to_stdout:
            console.print(result.summary())
        if json is not None:
            write_json(json, result.document())

    run_demo(
        options,
        None if headless else console,
        report=report,
        stay=console.is_terminal and sys.stdout.isatty(),
    )


def check(config: Config = None) -> None:
    """Check settings, connection, topics and permissions; one line for each problem or warning.

    Exit codes: 0 all is well, 2 something is wrong, 3 no broker answers.
    """
    from streamal.bootstrap import client_warnings, settings_warnings
    from streamal.operations.check import check_broker

    settings = read_settings(config)
    with open_pipeline(settings) as pipeline:
        lines = check_broker(settings, pipeline.broker)
    for line in (*settings_warnings(settings), *client_warnings()):
        typer.echo(f"streamal: warning: {line}", err=True)
    if lines:
        raise SettingsInvalid(*lines)
    typer.echo(f"{settings.pipeline.name}: settings, connection, topics and permissions are fine")
