"""`streamal console token`, and the console's place among the roles."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamal.cli import app
from streamal.console.accounts import digest
from streamal.errors import SettingsInvalid
from streamal.service import _extra
from streamal.settings import load_settings


def test_a_token_comes_with_the_settings_that_let_it_in(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["console", "token", 'Ana "A"', "--role", "lead"])
    assert result.exit_code == 0
    path = tmp_path / "streamal.toml"
    path.write_text(result.stdout)

    (account,) = load_settings(path).console.accounts
    assert (account.name, account.role) == ('Ana "A"', "lead")
    token = result.stdout.splitlines()[0].rpartition(": ")[2]
    assert digest(token) == account.token_hash
    assert len(token) >= 43


def test_a_console_without_its_libraries_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "streamal.bootstrap.console", None)
    with pytest.raises(SettingsInvalid, match=r"install streamal\[console\]"):
        _extra(None, "console")  # type: ignore[arg-type]  # it does not get that far
