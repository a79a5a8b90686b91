"""Writes docs/reference/ from the code: settings, metrics, catalogue and events.

    python docs/generate.py

`tests/docs/test_reference.py` fails while the committed pages differ from what this writes.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

from pydantic import BaseModel

from streamal.core.types import Task
from streamal.events import (
    AnnotatorRuling,
    DeadLetter,
    DriftEvent,
    Heartbeat,
    LabelEvent,
    Prediction,
    ReviewRequest,
    SnapshotHeader,
    WindowStats,
)
from streamal.operations.catalogue import Entry, ParameterEntry, catalogue
from streamal.settings import Settings
from streamal.telemetry import CATALOGUE, LABELS, MetricSpec

__all__ = ["REFERENCE", "main", "pages"]

REFERENCE: Final = Path(__file__).parent / "reference"

_NOTICE: Final = "<!-- Written by docs/generate.py; change the code and run it again. -->"
_ARGUMENT: Final = re.compile(r"(?P<name>\w+):\s*(?P<text>.*)")
#: Topic (as a settings key) of each event, and what stands before its table.
_EVENTS: Final = (
    (Prediction, "topics.predictions", "as the default `format.fields` mapping reads it"),
    (ReviewRequest, "topics.reviews", "written by the gates, key: the event id"),
    (LabelEvent, "topics.labels", "written by review tools, key: the event id"),
    (AnnotatorRuling, "topics.labels", "written by a lead, key: the annotator"),
    (WindowStats, "topics.windows", "written by the gates"),
    (DriftEvent, "topics.drift", "written by the leading trainer"),
    (SnapshotHeader, "topics.models", "written by the leading trainer, with the chunks it names"),
    (Heartbeat, "topics.models", "written by the leading trainer between snapshots"),
)

#: A node of a JSON Schema.
_Schema: TypeAlias = Mapping[str, Any]


def main() -> None:
    """Write every page of the reference."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """File name to content of every page; the same on every machine."""
    return {
        "settings.md": _page("Settings", _settings()),
        "metrics.md": _page("Metrics", _metrics()),
        "catalogue.md": _page("Catalogue", _catalogue()),
        "events.md": _page("Events", _events()),
    }


def _page(title: str, parts: Iterator[str]) -> str:
    return "\n\n".join((f"# {title}", _NOTICE, *parts)) + "\n"


def _settings() -> Iterator[str]:
    yield (
        "One TOML file, given with `-c`. Every key can be overridden by an environment variable: "
        "`STREAMAL_`, the section, two underscores, the key, all in capitals, such as "
        "`STREAMAL_GATE__BUDGET=0.02`; lists are written with commas. Unknown keys are errors. "
        "What strategies, policies, learners and detectors take as parameters is in the "
        "[catalogue](catalogue.md)."
    )
    yield from _section("", Settings)


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    """A table of the section's own keys, then one of each section inside it."""
    schema = model.model_json_schema()
    inner = {name: kind for name in model.model_fields if (kind := _submodel(model, name))}
    if path:
        summary, meanings = _docstring(model)
        rows = [
            (f"`{name}`", _kind(node, schema), _default(node, schema), meanings[name])
            for name, node in schema["properties"].items()
            if name not in inner
        ]
        yield f"## [{path}]"
        yield summary
        yield _table(("key", "type", "default", "meaning"), rows)
    for name, kind in inner.items():
        yield from _section(f"{path}.{name}" if path else name, kind)


def _submodel(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    annotation: object = model.model_fields[name].annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _metrics() -> Iterator[str]:
    yield (
        "Served on `/metrics` of `telemetry.port`. Every series also carries the label `pipeline`. "
        "Values that are not known yet are NaN."
    )
    for title, roles in (
        ("Gate", {"gate"}),
        ("Trainer", {"trainer"}),
        ("Label Studio", {"label-studio"}),
        ("Gate and trainer", {"gate", "trainer"}),
        ("Every role", {"gate", "trainer", "label-studio"}),
    ):
        yield f"## {title}"
        rows = [_metric(spec) for spec in CATALOGUE if set(spec.roles) == roles]
        yield _table(("metric", "type", "labels", "meaning", "what to do"), rows)
    yield "## Labels"
    yield _table(("label", "values"), [(f"`{name}`", text) for name, text in LABELS.items()])


def _metric(spec: MetricSpec) -> tuple[str, ...]:
    labels = [
        f"`{label}`" + (f" ({', '.join(spec.known[label])})" if label in spec.known else "")
        for label in spec.labels
    ]
    return f"`{spec.name}`", spec.kind.value, ", ".join(labels), spec.meaning, spec.action


def _catalogue() -> Iterator[str]:
    found = catalogue()
    yield "What can be chosen by name. `streamal catalogue` prints the same for what is installed."
    yield from _entries("Query strategies", "gate.strategy", found.strategies)
    yield from _entries("Budget policies", "gate.policy", found.policies)
    yield from _entries("Learners", "learner.name", found.learners)
    yield from _entries("Learners for regression", "learner.name", found.regressors)
    yield from _entries("Drift detectors", "drift.detectors", found.detectors)
    yield (
        "A learner may also be `package.module:factory`, a callable that returns a River "
        "classifier, in a regression a regressor, or a pipeline that ends in one."
    )


def _entries(title: str, key: str, entries: Sequence[Entry]) -> Iterator[str]:
    yield f"## {title}"
    yield f"Set with `{key}`."
    for entry in entries:
        yield f"### {entry.name}"
        yield entry.summary
        if len(entry.tasks) < len(Task):
            yield f"For {', '.join(entry.tasks)}."
        if entry.formula:
            yield f"Formula: {entry.formula}"
        if entry.range:
            yield f"Range: {entry.range}"
        if entry.parameters:
            rows = [_parameter(parameter) for parameter in entry.parameters]
            yield _table(("parameter", "type", "default", "allowed", "meaning"), rows)
        if entry.zero_propensity:
            yield f"With `gate.exploration = 0`, propensity 0 for: {entry.zero_propensity}."
        if entry.source:
            yield f"Source: {entry.source}"


def _parameter(entry: ParameterEntry) -> tuple[str, ...]:
    default = f"`{json.dumps(entry.default)}`"
    return f"`{entry.name}`", entry.type, default, entry.allowed, entry.description


def _events() -> Iterator[str]:
    yield (
        "Every event is a JSON object in UTF-8. Times are RFC 3339, in UTC when streamal writes "
        "them; fields without a value are left out. Unknown fields are ignored. "
        "`streamal schema` prints the JSON Schemas, with `--format asyncapi` an AsyncAPI document."
    )
    parts: dict[str, type[BaseModel]] = {}
    for event, topic, note in _EVENTS:
        yield from _event(event, f"On `{topic}`, {note}.")
        parts |= {kind.__name__: kind for kind in _parts(event)}
    for name in sorted(parts.keys() - {event.__name__ for event, _, _ in _EVENTS}):
        yield from _event(parts[name], "A part of other events.")
    yield from _dead_letter()


def _event(event: type[BaseModel], where: str) -> Iterator[str]:
    schema = event.model_json_schema()
    summary, meanings = _docstring(event)
    yield f"## {event.__name__}"
    yield f"{summary} {where}"
    yield _fields(schema, schema, meanings)


def _parts(event: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models that fields of `event` hold, however deep."""
    for field in event.model_fields.values():
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield kind
                yield from _parts(kind)


def _kinds(annotation: object) -> Iterator[object]:
    yield annotation
    for argument in get_args(annotation):
        yield from _kinds(argument)


def _fields(node: _Schema, schema: _Schema, meanings: Mapping[str, str]) -> str:
    required = set(node.get("required", ()))
    rows = [
        (
            f"`{name}`",
            _kind(field, schema),
            "required" if name in required else _default(field, schema),
            meanings.get(name, "version of the shape" if name == "schema_version" else ""),
        )
        for name, field in node["properties"].items()
    ]
    return _table(("field", "type", "default", "meaning"), rows)


def _dead_letter() -> Iterator[str]:
    meanings = _attributes(inspect.getdoc(DeadLetter) or "")
    example = DeadLetter("late_label", "event_id: the review had expired", "trainer", "t", 0, 1, 2)
    yield "## Dead letters"
    yield (
        "On `topics.dead_letters`: the original's key and value, with these record headers (text "
        "in UTF-8). The reasons are in the [runbook](../runbook.md#dead-letters-rising)."
    )
    rows = [
        (f"`{name}`", meaning)
        for (name, _), meaning in zip(example.headers(), meanings.values(), strict=True)
    ]
    yield _table(("header", "meaning"), rows)


def _docstring(model: type[BaseModel]) -> tuple[str, Mapping[str, str]]:
    """First paragraph, and the attributes of the class and its bases."""
    text = inspect.getdoc(model) or ""
    return " ".join(text.split("\n\n")[0].split()), _attributes(text)


def _attributes(text: str) -> dict[str, str]:
    """Name to meaning, from a docstring's `Attributes` section."""
    _, _, section = text.partition("Attributes:\n")
    meanings: dict[str, str] = {}
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        match = _ARGUMENT.fullmatch(line[4:])
        if match and not line.startswith(" " * 5):
            meanings[match["name"]] = match["text"]
        elif meanings and line.strip():
            meanings[next(reversed(meanings))] += f" {line.strip()}"
    return meanings


def _kind(node: _Schema, schema: _Schema) -> str:
    """A JSON Schema node in words: type, choices and range."""
    node = _resolved(node, schema)
    if "enum" in node:
        return "one of " + ", ".join(f"`{choice}`" for choice in node["enum"])
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "anyOf" in node:
        kinds = [_kind(option, schema) for option in node["anyOf"]]
        return " or ".join(sorted(set(kinds), key=lambda kind: (kind == "null", kinds.index(kind))))
    if "title" in node and node.get("properties"):
        return f"`{node['title']}`"
    if node.get("type") == "array":
        if "prefixItems" in node:
            return f"list of ({', '.join(_kind(item, schema) for item in node['prefixItems'])})"
        most = f"at most {node['maxItems']} " if "maxItems" in node else ""
        return f"list of {most}({_kind(node['items'], schema)})"
    if isinstance(node.get("additionalProperties"), Mapping):
        most = f"at most {node['maxProperties']} " if "maxProperties" in node else ""
        return f"object of {most}({_kind(node['additionalProperties'], schema)})"
    names = {"date-time": "time", "path": "path", "password": "secret"}
    return names.get(node.get("format", ""), str(node.get("type", "any"))) + _range(node)


def _range(node: _Schema) -> str:
    return (
        _limit(node, "minimum", "≥ {}")
        + _limit(node, "exclusiveMinimum", "> {}")
        + _limit(node, "maximum", "≤ {}")
        + _limit(node, "exclusiveMaximum", "< {}")
        + _limit(node, "maxLength", "at most {} characters")
    )


def _limit(node: _Schema, key: str, words: str) -> str:
    return f", {words.format(f'{node[key]:,}')}" if key in node else ""


def _default(node: _Schema, schema: _Schema) -> str:
    node = _resolved(node, schema)
    value = node.get("default")
    return "" if value is None else f"`{json.dumps(value)}`"


def _resolved(node: _Schema, schema: _Schema) -> _Schema:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: _Schema = schema["$defs"][reference.rpartition("/")[2]]
    return {**found, **{key: value for key, value in node.items() if key != "$ref"}}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
