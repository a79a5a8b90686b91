"""Commands that print what streamal is and does: contracts, parts and state."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from streamal.cli.common import Config, Json, open_pipeline, read_settings, show, write_json

__all__ = ["catalogue", "inspect", "schema"]


class SchemaFormat(StrEnum):
    """What `streamal schema --format` takes."""

    JSON_SCHEMA = "json-schema"
    ASYNCAPI = "asyncapi"


def schema(
    format: Annotated[  # noqa: A002 - the option is called --format
        SchemaFormat, typer.Option("--format", help="Which document.")
    ] = SchemaFormat.JSON_SCHEMA,
    config: Config = None,
) -> None:
    """Print the message contracts as JSON Schema, or as AsyncAPI with the topics' names."""
    from streamal.bootstrap import topics_of
    from streamal.events.topics import Topics
    from streamal.operations import schema as schemas

    if format is SchemaFormat.JSON_SCHEMA:
        document = schemas.json_schemas()
    else:
        topics = topics_of(read_settings(config, check=False)) if config else Topics()
        document = schemas.asyncapi(topics)
    write_json("-", document)


def catalogue(json: Json = None) -> None:
    """List strategies, policies, learners, drift detectors and metrics with their parameters."""
    from streamal.cli.printing import print_catalogue
    from streamal.operations.catalogue import catalogue as read_catalogue

    found = read_catalogue()
    show(
        found.model_dump(),
        json,
        lambda: print_catalogue(found),
    )


def inspect(config: Config = None, json: Json = None) -> None:
    """Show model version, offsets, pending reviews, thresholds and lag, from the topics alone."""
    from streamal.cli.printing import print_inspection
    from streamal.operations.inspect import inspect as inspect_pipeline

    settings = read_settings(config)
    with open_pipeline(settings) as pipeline:
        found = inspect_pipeline(pipeline)
    show(found.model_dump(), json, lambda: print_inspection(found))
