"""Consoles on the memory broker, and people who visit them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import ACCOUNTS, TOKENS, ReviewDesk
from tests.support.visitor import Visitor


@pytest.fixture
def new_desk(tmp_path: Path) -> Iterator[Callable[..., ReviewDesk]]:
    """Makes started consoles; closed at the end."""
    made: list[ReviewDesk] = []

    def make(
        changes: Mapping[str, Any] | None = None,
        accounts: Sequence[Mapping[str, str]] = ACCOUNTS,
    ) -> ReviewDesk:
        made.append(ReviewDesk(tmp_path, changes, accounts=accounts))
        made[-1].role.start()
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(new_desk: Callable[..., ReviewDesk]) -> ReviewDesk:
    """A console with four accounts."""
    return new_desk()


@pytest.fixture
def signed_in() -> Callable[[ReviewDesk, str], Visitor]:
    """Lets somebody in."""

    def sign_in(desk: ReviewDesk, name: str) -> Visitor:
        visitor = Visitor(desk.address)
        visitor.sign_in(TOKENS[name])
        return visitor

    return sign_in
