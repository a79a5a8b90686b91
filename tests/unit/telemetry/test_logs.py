"""Logs say where they come from and never what an event holds."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Iterator

import pytest

from streamal.ports import Record
from streamal.telemetry.logs import configure_logging, log_role

log = logging.getLogger("streamal.test")


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    kafka = logging.getLogger("kafka")
    kafka_level = kafka.level
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    kafka.setLevel(kafka_level)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_hold_what_a_collector_needs(stream: io.StringIO) -> None:
    configure_logging("json", "INFO", pipeline="orders", stream=stream)
    with log_role("gate"):
        log.info("routed %d of %s", 3, "many", extra={"batch": 7})
    log.warning("two\nlines")
    first, second = lines(stream)
    assert first.pop("time")
    assert first == {
        "level": "INFO",
        "pipeline": "orders",
        "role": "gate",
        "logger": "streamal.test",
        "message": "routed 3 of many",
        "batch": 7,
    }
    assert (second["role"], second["message"]) == ("main", "two\nlines")


def test_exceptions_stay_on_one_line_of_json(stream: io.StringIO) -> None:
    configure_logging("json", "INFO", pipeline="orders", stream=stream)
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("failed")
    (line,) = lines(stream)
    assert "ValueError: broken" in str(line["exception"])


def test_text_says_pipeline_role_and_message(stream: io.StringIO) -> None:
    configure_logging("text", "INFO", pipeline="orders", stream=stream)
    with log_role("trainer"):
        log.info("learned %d", 5)
    assert "INFO    [trainer] streamal.test: learned 5" in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_rich_text_without_markup() -> None:
    terminal = Terminal()
    configure_logging("text", "INFO", pipeline="orders", stream=terminal)
    log.info("odd [bold]id[/bold]")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert plain != terminal.getvalue()
    assert "[main] odd [bold]id[/bold]" in plain


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_payloads_are_never_logged(stream: io.StringIO, log_format: str) -> None:
    configure_logging(log_format, "DEBUG", pipeline="orders", stream=stream)  # type: ignore[arg-type]  # one of two
    record = Record("predictions", 2, 17, 0, b"key", b"secret")
    log.debug("got %s", record)
    log.debug("got %s and %r", b"secret", bytearray(b"secret"))
    log.debug("got %(value)s", {"value": b"secret"})
    log.debug("got it", extra={"value": b"secret", "source": record})
    text = stream.getvalue()
    assert "secret" not in text
    assert "predictions-2@17" in text
    assert "<6 bytes>" in text


def test_each_thread_has_its_role(stream: io.StringIO) -> None:
    configure_logging("json", "INFO", pipeline="orders", stream=stream)

    def work(role: str) -> None:
        with log_role(role):
            log.info(role)

    threads = [threading.Thread(target=work, args=(role,)) for role in ("gate", "trainer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(line["role"] == line["message"] for line in lines(stream))


def test_client_libraries_keep_quiet(stream: io.StringIO) -> None:
    configure_logging("json", "DEBUG", pipeline="orders", stream=stream)
    logging.getLogger("kafka.client").info("reconnecting")
    logging.getLogger("kafka.client").warning("gone")
    log.debug("ours")
    assert [line["message"] for line in lines(stream)] == ["gone", "ours"]


def test_configuring_again_replaces_and_spares_others(stream: io.StringIO) -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    configure_logging("json", "INFO", pipeline="orders", stream=io.StringIO())
    configure_logging("json", "ERROR", pipeline="orders", stream=stream)
    log.error("once")
    log.warning("not at all")
    assert [line["message"] for line in lines(stream)] == ["once"]
    assert other in logging.getLogger().handlers
