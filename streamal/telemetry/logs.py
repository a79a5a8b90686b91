"""Logging, configured once per process: text for people or JSON lines for collectors.

A record says which pipeline and which role it comes from, and never what an event holds: binary
arguments and records of the log are replaced by their size and place.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

import orjson
from rich.console import Console
from rich.logging import RichHandler

from streamal.ports import Record

__all__ = ["configure_logging", "log_role"]

#: Libraries that report every reconnect at INFO, and whole messages at DEBUG.
_QUIET: Final = ("kafka", "librdkafka", "urllib3", "asyncio", "httpx", "httpcore", "uvicorn")
#: Kafka's clients log a broken connection many times over, and it is raised as well; the raised
#: error is logged once by the loop that retries. Their lines are for finding out why, at DEBUG.
_RAISE_WHAT_THEY_LOG: Final = ("kafka", "librdkafka")
#: Marks the handler as ours, so that a second configuration replaces the first.
_HANDLER_NAME: Final = "streamal"
_TEXT: Final = "%(asctime)s %(levelname)-7s [%(role)s] %(name)s: %(message)s"
#: Attributes that every record has; what is left was given as `extra`.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "message",
    "pipeline",
    "role",
    "taskName",
}

_role: ContextVar[str] = ContextVar("streamal_log_role", default="main")


def configure_logging(
    log_format: Literal["text", "json"],
    level: str,
    *,
    pipeline: str,
    stream: TextIO | None = None,
) -> None:
    """Send every log record of this process to `stream`.

    Calling it again replaces what it did before; handlers of others stay.

    Args:
        log_format: `text` (coloured on a terminal) or `json`, one object a line.
        level: least severe level of our own records, such as `INFO`. Client libraries never go
            below WARNING: at DEBUG they log messages in full.
        pipeline: name that each record carries.
        stream: None for standard error, which keeps standard output for results.
    """
    target = sys.stderr if stream is None else stream
    handler = _json_handler(target) if log_format == "json" else _text_handler(target)
    handler.set_name(_HANDLER_NAME)
    handler.addFilter(_Context(pipeline))
    root = logging.getLogger()
    for old in [each for each in root.handlers if each.get_name() == _HANDLER_NAME]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    if root.level > logging.DEBUG:
        for name in _RAISE_WHAT_THEY_LOG:
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def log_role(role: str) -> Iterator[None]:
    """Records of this thread (or task) come from `role` while inside."""
    token = _role.set(role)
    try:
        yield
    finally:
        _role.reset(token)


class _Context(logging.Filter):
    """Adds pipeline and role, and takes payloads out."""

    def __init__(self, pipeline: str) -> None:
        super().__init__()
        self._pipeline = pipeline

    def filter(self, record: logging.LogRecord) -> bool:
        record.pipeline = self._pipeline
        record.role = _role.get()
        if isinstance(record.args, tuple):
            record.args = tuple(_without_payload(argument) for argument in record.args)
        elif isinstance(record.args, Mapping):
            record.args = {key: _without_payload(argument) for key, argument in record.args.items()}
        return True


def _without_payload(argument: object) -> object:
    if isinstance(argument, bytes | bytearray | memoryview):
        return f"<{len(argument)} bytes>"
    if isinstance(argument, Record):
        return f"{argument.topic}-{argument.partition}@{argument.offset}"
    return argument


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "pipeline": getattr(record, "pipeline", None),
            "role": getattr(record, "role", None),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line.setdefault(name, _without_payload(value))
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _json_handler(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines())
    return handler


def _text_handler(stream: TextIO) -> logging.Handler:
    if stream.isatty():
        rich = RichHandler(console=Console(file=stream), show_path=False, markup=False)
        rich.setFormatter(logging.Formatter("[%(role)s] %(message)s"))
        return rich
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(_TEXT))
    return handler
