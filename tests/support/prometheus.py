"""What is shipped for Prometheus and Grafana, read; and a real Prometheus that uses it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client import ProcessCollector
from prometheus_client.registry import CollectorRegistry

from streamal.telemetry import CATALOGUE, Kind

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RULE_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))

#: Words of PromQL that stand where a metric's name could.
_KEYWORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}
_NOT_METRICS = re.compile(
    r'"[^"]*"|\'[^\']*\'|\{[^}]*\}|\[[^]]*\]|\boffset\s+\w+'
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
)
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*[\"']")
#: Prometheus adds them when it scrapes.
_SCRAPED_LABELS = {"job", "instance"}
_SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.INFO: ("_info",)}
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*\b(?!\s*\()")


@cache
def rules() -> tuple[Mapping[str, Any], ...]:
    """Every recording rule and alert."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULE_FILES]
    return tuple(rule for each in documents for group in each["groups"] for rule in group["rules"])


def alerts() -> dict[str, Mapping[str, Any]]:
    """Alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def records() -> set[str]:
    """Names of the recorded series."""
    return {rule["record"] for rule in rules() if "record" in rule}


@dataclass(frozen=True)
class PanelQuery:
    """One query of a dashboard's panel."""

    dashboard: str
    panel: str
    expression: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.expression}"

    def asked(self, pipeline: str, rate_interval: str) -> str:
        """The expression as Grafana sends it."""
        expression = self.expression.replace("$pipeline", pipeline)
        return expression.replace("$__rate_interval", rate_interval)


def panel_queries() -> Iterator[PanelQuery]:
    """Every query of every dashboard."""
    for path in DASHBOARDS:
        board = json.loads(path.read_text(encoding="utf-8"))
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                yield PanelQuery(board["uid"], panel["title"], target["expr"])


def metrics_in(expression: str) -> set[str]:
    """Names of the series that an expression of PromQL reads."""
    rest = _NOT_METRICS.sub(" ", expression)
    return {name for name in _NAME.findall(rest) if name.lower() not in _KEYWORDS}


def selectors_in(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each series that is selected by labels, with the names of these labels."""
    for name, matchers in _SELECTOR.findall(expression):
        yield name, set(_MATCHER.findall(matchers))


@cache
def exported() -> dict[str, set[str] | None]:
    """Every series that a process exports, with its labels; None where any will do."""
    found: dict[str, set[str] | None] = {}
    for spec in CATALOGUE:
        labels = {*spec.labels, "pipeline", *_SCRAPED_LABELS}
        if spec.kind is Kind.HISTOGRAM:
            labels.add("le")
        for suffix in _SUFFIXES.get(spec.kind, ("",)):
            found[spec.name + suffix] = None if spec.kind is Kind.INFO else labels
    for metric in ProcessCollector(registry=CollectorRegistry()).collect():
        found |= {sample.name: _SCRAPED_LABELS for sample in metric.samples}
    return found


def problems(expression: str) -> list[str]:
    """What an expression reads that nothing exports or records."""
    series = exported()
    known = {*series, *records(), "ALERTS"}
    missing = [f"no series {name}" for name in sorted(metrics_in(expression) - known)]
    for name, labels in selectors_in(expression):
        there = series.get(name)
        if there is not None:
            missing += [f"{name} has no label {label}" for label in sorted(labels - there)]
    return missing


class PrometheusServer:
    """A server of our own on the loopback interface, with its data in `folder`.

    Args:
        binary: the program.
        config: the parsed configuration; paths in it are absolute.
        folder: an empty folder.
        port: a free one.
    """

    def __init__(self, binary: str, config: Mapping[str, Any], folder: Path, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._log = folder / "log.txt"
        path = folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
        self._command = [
            binary,
            f"--config.file={path}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            "--enable-feature=exemplar-storage",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrometheusServer:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ready(self) -> bool:
        """Whether it answers."""
        if self._process is None or self._process.poll() is not None:
            pytest.fail(f"Prometheus ended:\n{self._log.read_text(errors='replace')[-4000:]}")
        try:
            with urlopen(f"{self._url}/-/ready", timeout=2) as answer:  # noqa: S310 - it is ours
                return bool(answer.status == 200)
        except (HTTPError, URLError):
            return False

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """The data of an answer of its HTTP API; the test fails on an error."""
        return dict(self._data(path, parameters))

    def items(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        """The same where the data is a list."""
        return [*self._data(path, parameters)]

    def _data(self, path: str, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        url = f"{self._url}/api/v1/{path}?{urlencode(parameters)}"
        try:
            with urlopen(url, timeout=10) as answer:  # noqa: S310 - it is ours
                return json.load(answer)["data"]
        except HTTPError as error:
            with error:
                pytest.fail(f"{path} {parameters}: {error.read().decode()}")

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant query."""
        result = self.get("query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]
