"""The command line. Every command prints for people, or with `--json` one document for programs.

A module here declares its commands with what Typer needs. What a command works with is imported
where it runs: help and completion answer at once, and a gate loads neither the lab nor the demo.
"""

from streamal.cli.app import app, main

__all__ = ["app", "main"]
