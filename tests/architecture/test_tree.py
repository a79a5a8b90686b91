"""What the tree promises and no linter checks. Layers are import-linter's, style is ruff's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "streamal"
FOLDERS = ("streamal", "tests", "deploy", "benchmarks")
#: What fits into a head, and into a review; the usual file and function are far below.
MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 60
#: Left behind by unfinished work.
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
#: An exception from a rule, without its reason behind it on the line.
BARE_EXCEPTION = re.compile(
    r"#\s*(noqa(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?|type:\s*ignore(\[[^]]*\])?)\s*$"
)

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def python_files() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def body_lines(function: Function) -> int:
    """Lines of the function without its docstring."""
    code = function.body[1 if ast.get_docstring(function) else 0 :]
    return (code[-1].end_lineno or 0) - code[0].lineno + 1 if code else 0


def offending(pattern: re.Pattern[str]) -> list[str]:
    """Lines of any Python file but this one in which `pattern` is found."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_files_fit_into_a_head() -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files()
    }
    assert not {path: count for path, count in lines.items() if count > MAX_FILE_LINES}


def test_functions_fit_on_a_screen() -> None:
    long = {
        f"{module}:{node.name}": body_lines(node)
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, Function) and body_lines(node) > MAX_FUNCTION_LINES
    }
    assert not long


def test_every_package_says_what_it_offers() -> None:
    silent = [
        module
        for module, tree in modules()
        if module.endswith("/__init__.py")
        and any(
            isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
            for node in tree.body
        )
        and "__all__"
        not in {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
    ]
    assert not silent


def test_nothing_is_left_unfinished() -> None:
    assert not offending(UNFINISHED)


def test_every_exception_from_a_rule_says_why() -> None:
    assert not offending(BARE_EXCEPTION)


def test_unit_tests_mirror_the_package() -> None:
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}
    assert folders
    assert not [str(folder) for folder in folders if not (PACKAGE / folder).is_dir()]


def test_tests_are_modules_of_no_package() -> None:
    # pytest runs them with --import-mode=importlib; a package would shadow equal names.
    assert not list((ROOT / "tests").rglob("__init__.py"))
