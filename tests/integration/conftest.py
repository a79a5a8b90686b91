"""Sites: pipelines on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.site import Site


@pytest.fixture
def new_site(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """Makes sites with TOML to add to their configuration (and its first section); closed."""
    sites: list[Site] = []

    def make(overrides: str = "", pipeline: str = "") -> Site:
        sites.append(Site(kafka_bootstrap, tmp_path, overrides, pipeline))
        return sites[-1]

    yield make
    for site in sites:
        site.close()
