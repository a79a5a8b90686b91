"""What the commands share: options, settings, a connected pipeline, and JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamal.errors import SettingsInvalid

if TYPE_CHECKING:
    from streamal.bootstrap import Pipeline
    from streamal.settings import Settings

__all__ = [
    "Config",
    "Json",
    "check_target",
    "open_pipeline",
    "read_settings",
    "show",
    "write_file",
    "write_json",
]


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="TOML file with the settings; STREAMAL_ environment variables override it.",
        show_default="built-in defaults",
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="PATH|-", help="Write one JSON document to PATH, or to stdout with -."
    ),
]


def read_settings(config: Path | None, *, check: bool = True) -> Settings:
    """The settings of a file and the environment, with logging set up as they say.

    Args:
        config: TOML file; None takes the defaults.
        check: also build every part once, to find what only the parts can see.

    Raises:
        SettingsInvalid: with one line for each problem.
    """
    from streamal.bootstrap import check_settings
    from streamal.settings import load_settings
    from streamal.telemetry import configure_logging

    settings = load_settings(config)
    telemetry = settings.telemetry
    configure_logging(telemetry.log_format, telemetry.log_level, pipeline=settings.pipeline.name)
    if check:
        check_settings(settings)
    return settings


@contextmanager
def open_pipeline(settings: Settings) -> Iterator[Pipeline]:
    """A pipeline connected to its broker, for the length of a command."""
    from streamal.bootstrap import Pipeline, connect
    from streamal.clock import SystemClock
    from streamal.telemetry import Metrics

    with connect(settings) as broker:
        yield Pipeline(settings, broker, SystemClock(), Metrics(settings.pipeline.name))


def show(document: object, json: str | None, for_people: Callable[[], object]) -> None:
    """Write `document` as JSON where `json` says, or print it for people."""
    if json is None:
        for_people()
    else:
        write_json(json, document)


def check_target(target: str | Path | None, *, option: str = "--json") -> None:
    """Say that a file can't be written before the work that it is for, not after.

    Args:
        target: the file; - is stdout, None is nowhere.
        option: that named it.

    Raises:
        SettingsInvalid: its folder does not exist, or it is a folder itself.
    """
    path = Path(target or "-")
    if str(path) != "-" and (path.is_dir() or not path.parent.is_dir()):
        raise SettingsInvalid(f"{option} = '{target}': cannot be written: not a file in a folder")


def write_json(target: str, document: object) -> None:
    """Write one JSON document to a file, or to stdout with -.

    Raises:
        SettingsInvalid: the file can't be written.
    """
    import orjson

    data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    write_file(Path(target), data, option="--json")


def write_file(path: Path, data: bytes, *, option: str) -> None:
    """Write a file that `option` names.

    Raises:
        SettingsInvalid: the file can't be written.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SettingsInvalid(f"{option} = '{path}': cannot be written: {error}") from error
