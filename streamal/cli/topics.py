"""Commands about the pipeline's topics."""

from __future__ import annotations

import typer

from streamal.cli.common import Config, Json, open_pipeline, read_settings, show

__all__ = ["topics"]


topics = typer.Typer(
    help="Make and list the pipeline's topics.", no_args_is_help=True, rich_markup_mode=None
)


@topics.command("create")
def create(config: Config = None) -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    from streamal.operations.topics import topic_specs

    settings = read_settings(config, check=False)
    with open_pipeline(settings) as pipeline:
        admin = pipeline.broker.admin()
        created = admin.create_topics(topic_specs(settings))
    for spec in topic_specs(settings):
        typer.echo(f"{'created' if spec.name in created else 'exists '}  {spec.name}")


@topics.command("list")
def list_topics(config: Config = None) -> None:
    """List the pipeline's topics and whether they exist."""
    from streamal.operations.topics import topic_specs

    settings = read_settings(config, check=False)
    with open_pipeline(settings) as pipeline:
        names = [spec.name for spec in topic_specs(settings)]
        found = pipeline.broker.admin().describe_topics(names)
    for name in names:
        typer.echo(f"{'exists ' if name in found else 'missing'}  {name}")


@topics.command("describe")
def describe(config: Config = None, json: Json = None) -> None:
    """Show partitions, replicas and cleanup of the topics that exist."""
    from streamal.cli.printing import print_table
    from streamal.operations.topics import topic_specs

    settings = read_settings(config, check=False)
    with open_pipeline(settings) as pipeline:
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
    show(rows, json, lambda: print_table(rows))
