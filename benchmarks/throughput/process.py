"""Processes under measurement: their CPU time, their memory, and how far they are."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.throughput.log import PATIENCE_SECONDS, Failed
from benchmarks.throughput.peers.job import HANDLED

_STOP_LIMIT_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.02


class Process:
    """A program that runs until it is told to end.

    Args:
        command: its arguments.
        log: where what it says goes to.
        port: where it shows its metrics, if it does.
        environment: variables besides ours.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._port = port
        self._log = log
        self._command = command
        self._told = threading.Condition()
        self._handled: dict[int, float] = {}
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                env={**os.environ, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._clock = _cpu_clock(self._process.pid)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Note when the peer says that it has handled so many events."""
        for line in self._process.stdout or ():
            match line.split():
                case [word, number] if word == HANDLED:
                    with self._told:
                        self._handled[int(number)] = time.monotonic()
                        self._told.notify_all()
        with self._told:
            self._told.notify_all()

    def wait_handled(self, count: int) -> float:
        """When, on the monotonic clock, it said that it has handled `count` events."""
        with self._told:
            heard = self._told.wait_for(
                lambda: count in self._handled or self._process.poll() is not None,
                PATIENCE_SECONDS,
            )
            if not heard or count not in self._handled:
                raise Failed(f"{' '.join(self._command)}: {count} not reached\n{self.tail()}")
            return self._handled[count]

    def check_alive(self) -> None:
        """Raise when it has ended by itself.

        Raises:
            Failed: with the end of what it logged.
        """
        if self._process.poll() is not None:
            raise Failed(f"{' '.join(self._command)}: it ended\n{self.tail()}")

    def cpu_seconds(self) -> float:
        """User and system time of all its threads since it started, to the nanosecond."""
        return time.clock_gettime(self._clock)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels; 0 while there is none.

        The program shows its metrics on its port.
        """
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._port}/metrics", timeout=5
            ) as page:
                families = list(text_string_to_metric_families(page.read().decode()))
        except OSError:
            self.check_alive()
            return 0.0
        samples = [sample for family in families for sample in family.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def wait_metric(
        self, name: str, least: float, *, patience: float = PATIENCE_SECONDS, **labels: str
    ) -> None:
        """Return once a metric is at least so large; it may stand still for `patience` seconds."""
        reached, deadline = 0.0, time.monotonic() + patience
        while (now := self.metric(name, **labels)) < least:
            if now > reached:
                reached, deadline = now, time.monotonic() + patience
            if time.monotonic() > deadline:
                raise Failed(f"{name} of {' '.join(self._command)} stays at {now}\n{self.tail()}")
            time.sleep(_LOOK_SECONDS)

    def resident_megabytes(self) -> float:
        """What it holds in memory (2^20 bytes)."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It gets no CPU meanwhile."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it in good order, or kill what does not end."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def tail(self) -> str:
        """The end of what it logged."""
        return self._log.read_text(errors="replace")[-3000:]


def _cpu_clock(pid: int) -> int:
    """The clock of a process's CPU time, see clock_getcpuclockid(3)."""
    clock = ctypes.c_int()
    failed = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
    if failed:
        raise OSError(failed, os.strerror(failed))
    return clock.value
