"""Commands about the people who answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streamal.cli.common import Config, Json, open_pipeline, read_settings, show

if TYPE_CHECKING:
    from streamal.operations.annotators import WorkforceReport

__all__ = ["annotators"]


annotators = typer.Typer(
    help="Look at the annotators, and decide about those in quarantine.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[str, typer.Argument(help="The annotator, as labels name them.")]
_By = Annotated[str, typer.Option("--by", help="The lead who decides.", metavar="LEAD")]
_Note = Annotated[str | None, typer.Option("--note", help="Why, for colleagues.")]


@annotators.command("list")
def list_annotators(config: Config = None, json: Json = None) -> None:
    """Show everybody's standing and agreement, from the topics alone."""
    from streamal.operations.annotators import annotators as read_annotators

    with open_pipeline(read_settings(config)) as pipeline:
        found = read_annotators(pipeline)
    show(found.model_dump(), json, lambda: _print(found))


@annotators.command("quarantine")
def quarantine(annotator: _Name, by: _By, note: _Note = None, config: Config = None) -> None:
    """Hold an annotator's answers until a lead decides."""
    _rule(config, annotator, "quarantine", by, note)


@annotators.command("release")
def release(annotator: _Name, by: _By, note: _Note = None, config: Config = None) -> None:
    """Trust an annotator again, and count the answers that were held."""
    _rule(config, annotator, "release", by, note)


@annotators.command("dismiss")
def dismiss(annotator: _Name, by: _By, note: _Note = None, config: Config = None) -> None:
    """Drop the answers that were held, and turn later ones away."""
    _rule(config, annotator, "dismiss", by, note)


def _rule(
    config: Path | None,
    annotator: str,
    ruling: Literal["quarantine", "release", "dismiss"],
    by: str,
    note: str | None,
) -> None:
    from streamal.operations.annotators import rule

    settings = read_settings(config)
    with open_pipeline(settings) as pipeline:
        rule(pipeline, annotator, ruling, ruled_by=by, note=note)
    typer.echo(f"{ruling}: {annotator}, by {by}; on {settings.topics.labels}")


def _print(found: WorkforceReport) -> None:
    from streamal.cli.printing import print_table

    print_table([_rounded(each.model_dump()) for each in found.annotators], "Annotators")
    if found.pairs:
        print_table([_rounded(each.model_dump()) for each in found.pairs], "Pairs")
    noise = (
        ("answer_error",) if found.answer_error is not None else ("annotator_noise", "answer_noise")
    )
    for name in ("alpha", *noise):
        value = getattr(found, name)
        typer.echo(f"{name}: {'not known yet' if value is None else format(value, '.3f')}")
    typer.echo(f"disputes: {found.disputes}")


def _rounded(row: dict[str, object]) -> dict[str, object]:
    return {
        key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()
    }
