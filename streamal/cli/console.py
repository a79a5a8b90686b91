"""Commands about the review console."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["console"]

console = typer.Typer(
    help="Prepare the review console.", no_args_is_help=True, rich_markup_mode=None
)


class AccountRole(StrEnum):
    """What `streamal console token --role` takes."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    VIEWER = "viewer"


@console.callback()
def _console() -> None:
    """Prepare the review console; `streamal run --role console` runs it."""


@console.command("token")
def token(
    name: Annotated[str, typer.Argument(help="The person's name, as on their labels.")],
    role: Annotated[AccountRole, typer.Option(help="What they may do.")] = AccountRole.REVIEWER,
) -> None:
    """Make a sign-in token, and the lines of the settings that let its owner in.

    The token is shown this once; the settings hold a digest that does not tell it.
    """
    import orjson

    from streamal.console.accounts import digest, new_token

    made = new_token()
    quoted = orjson.dumps(name).decode()
    typer.echo(f"# For {name}, who keeps it: {made}")
    typer.echo("[[console.accounts]]")
    typer.echo(f"name = {quoted}")
    typer.echo(f'role = "{role.value}"')
    typer.echo(f'token_hash = "{digest(made)}"')
