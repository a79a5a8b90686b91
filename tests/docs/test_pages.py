"""What the pages say holds: links, settings, events, commands, metrics, paths and Python."""

from __future__ import annotations

import ast
import doctest
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from streamal.bootstrap import check_settings
from streamal.cli import app
from streamal.events import LabelEvent, Prediction, ProbabilityRules, ReviewRequest
from streamal.events.base import OWN_REASONS, Event
from streamal.events.formats import Envelope, FlatFormat
from streamal.operations.export import export
from streamal.settings import Settings, load_settings
from streamal.telemetry import CATALOGUE, Kind
from tests.support.shop import Shop

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "benchmarks/*.md", "deploy/**/*.md", "docs/**/*.md")
    for page in ROOT.glob(pattern)
)
EVENTS: dict[str, type[Event]] = {
    "prediction": Prediction,
    "review": ReviewRequest,
    "label": LabelEvent,
}
#: Fields whose keys are the user's own or another part's parameters.
FREE = {"strategy_parameters", "policy_parameters", "parameters"}
SHELL = {"bash", "sh", "shell", "console"}


@dataclass(frozen=True)
class Block:
    """One fenced block: the words after the fence, and what is inside."""

    page: Path
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def read(page: Path) -> tuple[str, tuple[Block, ...]]:
    """The page's prose without fenced blocks, and the blocks."""
    prose: list[str] = []
    blocks: list[Block] = []
    inside: list[str] | None = None
    info: tuple[str, ...] = ()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.lstrip().startswith("```"):
            (prose if inside is None else inside).append(line)
        elif inside is None:
            inside, info = [], tuple(line.strip().removeprefix("```").split())
        else:
            blocks.append(Block(page, number - len(inside), info, "\n".join(inside)))
            inside = None
    assert inside is None, f"{name_of(page)}: a fence is not closed"
    return "\n".join(prose), tuple(blocks)


def blocks(*languages: str) -> list[Block]:
    return [b for page in PAGES for b in read(page)[1] if b.language in languages]


def inline_code(page: Path) -> list[str]:
    """Code within the prose; a line break inside of it is a space."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", read(page)[0])]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    seen: Counter[str] = Counter()
    found = set()
    for title in re.findall(r"^#{1,6} +(.+?) *$", read(page)[0], re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def each_page(pages: list[Path] | None = None) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES if pages is None else pages, ids=name_of)


def each_block(found: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", found, ids=str)


def test_there_is_something_to_check() -> None:
    assert len(PAGES) >= 20
    assert len(blocks("toml")) >= 10
    assert len([b for b in blocks("json") if b.info[1:]]) >= 10
    assert len(blocks("python")) >= 3


# Links


@each_page()
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    prose = re.sub(r"`[^`]*`", "", read(page)[0])
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def test_every_page_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", read(page)[0])
        todo += [(page.parent / link).resolve() for link in links]
    assert not {name_of(page) for page in PAGES if "docs" in page.parts} - {
        name_of(page) for page in seen
    }


@each_page()
def test_paths_that_are_named_exist(page: Path) -> None:
    named = [
        code
        for code in inline_code(page)
        if re.fullmatch(r"(streamal|tests|docs|deploy|benchmarks)/[\w./-]+", code)
    ]
    assert not [path for path in named if not (ROOT / path).exists()]


def test_records_that_the_code_cites_exist() -> None:
    cited = {
        number
        for path in ROOT.glob("streamal/**/*.py")
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    there = {path.name[:4] for path in ROOT.glob("docs/decisions/*.md")}
    assert cited
    assert cited <= there


# Settings


@each_block(blocks("toml"))
def test_toml_blocks_are_settings(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "streamal.toml"
    path.write_text(block.text, encoding="utf-8")
    load_settings(path)


@each_block([b for b in blocks("toml") if "complete" in b.info])
def test_complete_settings_would_start(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMAL_SNAPSHOTS__SIGNING_KEYS", "0123456789abcdef")
    path = tmp_path / "streamal.toml"
    path.write_text(block.text, encoding="utf-8")
    check_settings(load_settings(path))


def is_setting(key: str) -> bool:
    """Whether `key` is a section, a key of one, or inside of free parameters."""
    model: type[BaseModel] | None = Settings
    for part in key.split("."):
        if model is None or part not in model.model_fields:
            return False
        if part in FREE:
            return True
        annotation: object = model.model_fields[part].annotation
        is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        model = annotation if is_section else None  # type: ignore[assignment]  # just checked
    return True


def setting_keys(code: str) -> Iterator[str]:
    section = "|".join(Settings.model_fields)
    match = re.match(rf"((?:{section})(?:\.[a-z_]+)+)( =.*)?$", code)
    if match and not match[1].endswith((".py", ".md", ".toml")):
        yield match[1]
    if match := re.fullmatch(r"\[([a-z_.]+)\]", code):
        yield match[1]


@each_page()
def test_settings_that_are_named_exist(page: Path) -> None:
    variables = re.findall(r"STREAMAL_([A-Z0-9_]+__[A-Z0-9_]+)", page.read_text(encoding="utf-8"))
    keys = [key for code in inline_code(page) for key in setting_keys(code)]
    keys += [variable.lower().replace("__", ".") for variable in variables]
    assert not [key for key in keys if not is_setting(key)]


def test_a_setting_that_is_not_there_would_be_found() -> None:
    assert list(setting_keys("gate.bugdet = 0.1")) == ["gate.bugdet"]
    assert not is_setting("gate.bugdet")
    assert is_setting("gate.strategy_parameters.source")


# Events


@each_block([b for b in blocks("json") if len(b.info) > 1 and b.info[1] in EVENTS])
def test_json_events_are_valid(block: Block) -> None:
    kind = EVENTS[block.info[1]]
    event = kind.from_bytes(block.text.encode())
    assert not unknown_fields(kind, json.loads(block.text))
    assert event == kind.from_bytes(event.to_bytes())


def unknown_fields(model: type[BaseModel], document: dict[str, Any]) -> list[str]:
    """Fields that a reader would ignore: a typing error in an example."""
    found = [name for name in document if name not in model.model_fields]
    for name, field in model.model_fields.items():
        part = document.get(name)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(part, dict):
            found += [f"{name}.{each}" for each in unknown_fields(inner, part)]
    return found


@each_block([b for b in blocks("json") if "source" in b.info])
def test_messages_are_read_by_the_settings_above_them(block: Block, tmp_path: Path) -> None:
    above = [b for b in read(block.page)[1] if b.language == "toml" and b.line < block.line]
    path = tmp_path / "streamal.toml"
    path.write_text(above[-1].text, encoding="utf-8")
    settings = load_settings(path).format
    rules = ProbabilityRules(
        tolerance=settings.probability_tolerance, normalise=settings.normalise_probabilities
    )
    adapter = FlatFormat(settings.fields, rules, settings.required_features)
    (prediction,) = adapter.read(Envelope(block.text.encode(), b"key-1", 1_772_443_800_000, {}))
    assert prediction.timestamp.year == 2026
    assert prediction.features["amount"] == 129.9
    assert prediction.prediction.label == "ok"
    if "score" in block.text or "p_ok" in block.text:
        expected = pytest.approx({"ok": 0.58, "fraud": 0.42})
        assert prediction.prediction.probabilities == expected


@each_block(blocks("json"))
def test_json_blocks_are_json_of_a_known_kind(block: Block) -> None:
    json.loads(block.text)
    assert set(block.info[1:]) <= {*EVENTS, "source"}


# Dead letters


def reasons() -> set[str]:
    """Every reason that the code can give a dead letter."""
    found = {"invalid_field", "missing_field", "unsupported_schema_version", *OWN_REASONS}
    found |= {"late_label", "unknown_label", "dismissed_label"}
    for path in ROOT.glob("streamal/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Reject"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


def test_the_runbook_explains_every_reason() -> None:
    text = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    _, _, section = text.partition("## Dead letters rising")
    table = section.partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == reasons()


# Commands


def command_lines(page: Path) -> Iterator[list[str]]:
    """Calls of streamal in the prose and in shell blocks, as words."""
    texts = inline_code(page)
    for block in read(page)[1]:
        if block.language in SHELL:
            texts += block.text.replace("\\\n", " ").splitlines()
    for text in texts:
        words = re.sub(r"\s#.*", "", text).removeprefix("$ ").replace("[", "").split()
        if len(words) > 1 and words[0] == "streamal":
            yield [word.rstrip("]") for word in words[1:]]


def complaint(words: list[str]) -> str | None:
    """What the command line would not understand in a call; None when nothing."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            options = {option for each in command.params for option in each.opts} | {"--help"}
            if name not in options:
                return f"{command.name} has no option {name}"
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"{command.name} has no command {word}"
            command = command.commands[word]
    return None


@each_page()
def test_commands_that_are_named_exist(page: Path) -> None:
    problems = [complaint(words) for words in command_lines(page)]
    assert not [problem for problem in problems if problem]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("run --rolle gate", "run has no option --rolle"),
        ("topics destroy", "topics has no command destroy"),
        ("train", "streamal has no command train"),
        ("topics create -c FILE", None),
        ("demo --headless --json -", None),
    ],
)
def test_a_command_that_is_not_there_would_be_found(line: str, problem: str | None) -> None:
    assert complaint(line.split()) == problem


def test_the_readme_lists_every_command() -> None:
    command: Any = typer.main.get_command(app)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, each in command.commands.items():
        names = [f"{name} {inner}" for inner in getattr(each, "commands", {})] or [name]
        assert not [full for full in names if f"`streamal {full}`" not in text]


@each_page()
def test_make_targets_that_are_named_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    texts = [*inline_code(page), *(b.text for b in read(page)[1] if b.language in SHELL)]
    named = {t for text in texts for t in re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)}
    assert named <= targets


# Metrics


def series() -> set[str]:
    names = set()
    for spec in CATALOGUE:
        suffixes = {
            Kind.HISTOGRAM: ("", "_bucket", "_sum", "_count"),
            Kind.INFO: ("", "_info"),
        }.get(spec.kind, ("",))
        names |= {spec.name + suffix for suffix in suffixes}
    return names


@each_page()
def test_metrics_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"\bstreamal_[a-z_]+\b", page.read_text(encoding="utf-8")))
    assert named <= series()


def test_the_runbook_and_the_guide_name_what_to_watch() -> None:
    known = {spec.name for spec in CATALOGUE}
    text = "".join(
        (ROOT / page).read_text(encoding="utf-8")
        for page in ("docs/runbook.md", "docs/how-to/run-in-production.md")
    )
    assert len({name for name in known if name in text}) >= 15


# Python


@each_page([page for page in PAGES if any(b.language == "python" for b in read(page)[1])])
def test_python_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The blocks of a page build on one another; examples in their docstrings run too."""
    if page.name == "retrain-production.md":
        export(Shop(3000).pipeline, tmp_path / "labels.parquet", start=0, end=math.inf)
        monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    runner = doctest.DocTestRunner()
    finder = doctest.DocTestFinder(exclude_empty=True)
    for block in (b for b in read(page)[1] if b.language == "python"):
        if block.text.lstrip().startswith(">>>"):
            tests = [doctest.DocTestParser().get_doctest(block.text, names, str(block), None, 0)]
        else:
            known = set(names)
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own pages
            new = [names[name] for name in names.keys() - known]
            classes = [each for each in new if isinstance(each, type)]
            tests = [t for c in classes for t in finder.find(c, globs=names, module=False)]
        for test in tests:
            runner.run(test, clear_globs=False)
    assert runner.tries > 0
    assert runner.failures == 0
