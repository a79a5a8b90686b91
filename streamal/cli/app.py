"""The command line: which commands there are, and what an error of any of them looks like."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from streamal import __version__
from streamal.cli.annotators import annotators
from streamal.cli.backtesting import backtest
from streamal.cli.console import console
from streamal.cli.datasets import export, report
from streamal.cli.documents import catalogue, inspect, schema
from streamal.cli.running import check, demo, run
from streamal.cli.topics import topics
from streamal.errors import BrokerGone, BrokerUnavailable, SettingsInvalid, StreamalError

__all__ = ["app", "main"]


app = typer.Typer(
    name="streamal",
    help="Route the predictions worth a human label, learn from the answers, and report "
    "production's accuracy without bias.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(topics, name="topics")
app.add_typer(annotators, name="annotators")
app.add_typer(console, name="console")
for command in (run, demo, backtest, check, schema, catalogue, inspect, export, report):
    app.command()(command)


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
