"""Dashboards: generated, well formed, about series that exist, and where Grafana looks for them.

No Grafana runs here: what can be checked is the JSON's structure, and its queries.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.generate import FOLDER, files
from tests.support.prometheus import DASHBOARDS, ROOT, PanelQuery, panel_queries, problems

GRAFANA = ROOT / "deploy" / "grafana"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICE: dict[str, Any] = COMPOSE["services"]["grafana"]
GRID_COLUMNS = 24
BOARDS = [json.loads(path.read_text(encoding="utf-8")) for path in DASHBOARDS]
PANELS = [panel for board in BOARDS for panel in board["panels"] if panel["type"] != "row"]
EACH_BOARD = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
EACH_PANEL = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def provisioned(kind: str) -> dict[str, Any]:
    """The one item of a provisioning file."""
    (path,) = (GRAFANA / "provisioning" / kind).glob("*.yml")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["apiVersion"] == 1
    (item,) = document["providers" if kind == "dashboards" else kind]
    return dict(item)


def mounts() -> dict[str, Path]:
    """Path in the container to the folder that is mounted there."""
    parts = [volume.split(":") for volume in SERVICE["volumes"]]
    assert all(mode == "ro" for _, _, mode in parts)
    return {target: ROOT / source for source, target, _ in parts}


def test_the_committed_dashboards_are_the_generated_ones() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == files(), "PYTHONPATH=. python -m deploy.grafana.generate"


def test_there_are_the_three() -> None:
    assert {board["title"] for board in BOARDS} == {
        "streamal: overview",
        "streamal: quality and drift",
        "streamal: review workforce",
    }
    assert len({board["uid"] for board in BOARDS}) == len(BOARDS)


@EACH_BOARD
def test_a_dashboard_is_of_grafana_11_and_asks_for_source_and_pipeline(
    board: dict[str, Any],
) -> None:
    assert board["schemaVersion"] == 39
    source, pipeline = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    assert (pipeline["name"], pipeline["type"]) == ("pipeline", "query")
    assert problems(pipeline["definition"].removeprefix("label_values(").split(",")[0]) == []
    assert pipeline["query"]["query"] == pipeline["definition"]
    assert pipeline["multi"]


@EACH_BOARD
def test_panels_lie_on_the_grid_and_do_not_overlap(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    assert len({panel["id"] for panel in board["panels"]}) == len(places)
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= GRID_COLUMNS for place in places)
    assert not [(one, two) for one, two in combinations(places, 2) if overlap(one, two)]


def overlap(one: dict[str, int], two: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
    above = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
    return not beside and not above


@EACH_PANEL
def test_a_panel_says_what_it_means_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)
    everywhere = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert all(each == {"type": "prometheus", "uid": "${datasource}"} for each in everywhere)
    assert all(target["range"] is not target["instant"] for target in panel["targets"])


@EACH_PANEL
def test_series_of_a_panel_can_be_told_apart(panel: dict[str, Any]) -> None:
    legends = [target["legendFormat"] for target in panel["targets"]]
    assert len(set(legends)) == len(legends)
    assert all("{{pipeline}}" in legend for legend in legends)


@pytest.mark.parametrize("query", list(panel_queries()), ids=str)
def test_a_query_reads_what_is_exported_or_recorded_of_the_chosen_pipelines(
    query: PanelQuery,
) -> None:
    assert 'pipeline=~"$pipeline"' in query.expression
    assert problems(query.expression) == []


def test_grafana_finds_the_dashboards_and_prometheus() -> None:
    assert mounts()["/etc/grafana/provisioning"] == GRAFANA / "provisioning"
    path = provisioned("dashboards")["options"]["path"]
    assert mounts()[path].resolve() == FOLDER.resolve()
    source = provisioned("datasources")
    assert source["type"] == "prometheus"
    assert source["url"] == "http://prometheus:9090"
    assert SERVICE["depends_on"] == ["prometheus"]
    home = Path(SERVICE["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (mounts()[str(home.parent)] / home.name).is_file()


def test_rates_are_taken_over_scrapes_as_they_come() -> None:
    prometheus = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    config = yaml.safe_load(prometheus.read_text(encoding="utf-8"))
    interval = provisioned("datasources")["jsonData"]["timeInterval"]
    assert interval == config["global"]["scrape_interval"]
