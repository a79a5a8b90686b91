"""The command line. Every command prints for people, or with `--json` one document for programs."""

from streamal.cli.app import app, main

__all__ = ["app", "main"]
