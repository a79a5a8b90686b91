"""Writes deploy/grafana/dashboards/ from the modules beside it.

    PYTHONPATH=. python -m deploy.grafana.generate

A test fails while the committed files differ from what this writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.grafana.overview import OVERVIEW
from deploy.grafana.quality import QUALITY
from deploy.grafana.workforce import WORKFORCE

__all__ = ["DASHBOARDS", "FOLDER", "files", "main"]

DASHBOARDS: Final = (OVERVIEW, QUALITY, WORKFORCE)
FOLDER: Final = Path(__file__).parent / "dashboards"


def files() -> Mapping[str, str]:
    """Name of each file to its text."""
    return {
        f"{board.uid}.json": json.dumps(board.to_json(), indent=2, ensure_ascii=False) + "\n"
        for board in DASHBOARDS
    }


def main() -> None:
    """Write all of them; a dashboard that is no longer made is removed."""
    FOLDER.mkdir(exist_ok=True)
    texts = files()
    for path in FOLDER.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
