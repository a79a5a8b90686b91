"""Grafana's panels and dashboards as values, and the JSON that Grafana reads.

Only what the three dashboards need. The JSON is of Grafana 11; later versions migrate it on load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

__all__ = ["Dashboard", "Panel", "Query", "Row", "Unit", "View"]

Json: TypeAlias = dict[str, Any]

#: The schema of Grafana 11.0.
SCHEMA_VERSION: Final = 39
#: Grafana lays panels out on a grid this wide.
GRID_COLUMNS: Final = 24
TAG: Final = "streamal"
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Unit(StrEnum):
    """Grafana's names of units."""

    COUNT = "short"
    PER_SECOND = "cps"
    SHARE = "percentunit"
    SECONDS = "s"
    BYTES = "bytes"
    VERSION = "none"


class View(StrEnum):
    """How a panel shows its series."""

    LINES = "timeseries"
    NUMBER = "stat"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of PromQL.

    Attributes:
        expression: selects by `pipeline=~"$pipeline"`.
        legend: template of a series' name, such as `{{role}}`.
    """

    expression: str
    legend: str = "{{pipeline}}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        title: what it shows.
        meaning: how to read it, and what to do; shown on hover.
        queries: at most 26.
        unit: of all its series.
        view: how it shows them.
        width: columns of the grid.
        dashed: legends of series that are targets or bounds, drawn as dashes.
        low: least value of the axis; None leaves it to Grafana.
        high: greatest value of the axis; None leaves it to Grafana.
    """

    title: str
    meaning: str
    queries: Sequence[Query]
    unit: Unit = Unit.COUNT
    view: View = View.LINES
    width: int = 12
    dashed: Sequence[str] = ()
    low: float | None = 0
    high: float | None = None

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return 4 if self.view is View.NUMBER else 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading, laid out from left to right."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of rows, for one or several pipelines.

    Attributes:
        uid: its permanent name, in its address and its file's name.
        title: its name for people.
        description: who looks at it, and for what.
        rows: from top to bottom.
    """

    uid: str
    title: str
    description: str
    rows: Sequence[Row]

    def to_json(self) -> Json:
        """What Grafana provisions."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "links": [_links_to_the_others()],
            "templating": {"list": [_datasource_variable(), _pipeline_variable()]},
            "annotations": {"list": []},
            "panels": list(_laid_out(self.rows)),
        }


def _links_to_the_others() -> Json:
    return {
        "type": "dashboards",
        "title": "streamal",
        "tags": [TAG],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
    }


def _datasource_variable() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }


def _pipeline_variable() -> Json:
    query = "label_values(streamal_build_info, pipeline)"
    return {
        "name": "pipeline",
        "label": "Pipeline",
        "type": "query",
        "datasource": _DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "pipelines"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _laid_out(rows: Sequence[Row]) -> Iterator[Json]:
    """Headings and panels with places on the grid; a panel that does not fit begins a new line."""
    number = y = 0
    for row in rows:
        number += 1
        yield _heading(row.title, number, y)
        y += 1
        x = line_height = 0
        for panel in row.panels:
            number += 1
            if x + panel.width > GRID_COLUMNS:
                x, y, line_height = 0, y + line_height, 0
            yield _panel(panel, number, x, y)
            x += panel.width
            line_height = max(line_height, panel.height)
        y += line_height


def _heading(title: str, number: int, y: int) -> Json:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": y, "w": GRID_COLUMNS, "h": 1},
        "panels": [],
    }


def _panel(panel: Panel, number: int, x: int, y: int) -> Json:
    return {
        "id": number,
        "type": panel.view.value,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": [_target(panel, place) for place in range(len(panel.queries))],
        "fieldConfig": {
            "defaults": _field_defaults(panel),
            "overrides": [_dashes(legend) for legend in panel.dashed],
        },
        "options": _options(panel.view),
        **({"transformations": _columns_of_labels()} if panel.view is View.TABLE else {}),
    }


def _target(panel: Panel, place: int) -> Json:
    query, over_time = panel.queries[place], panel.view is View.LINES
    return {
        "refId": chr(ord("A") + place),
        "datasource": _DATASOURCE,
        "editorMode": "code",
        "expr": query.expression,
        "legendFormat": query.legend,
        "range": over_time,
        "instant": not over_time,
        "format": "table" if panel.view is View.TABLE else "time_series",
    }


def _field_defaults(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit.value}
    if panel.low is not None:
        defaults["min"] = panel.low
    if panel.high is not None:
        defaults["max"] = panel.high
    if panel.view is View.LINES:
        # A gap is a message: nothing was known.
        defaults["custom"] = {"spanNulls": False, "fillOpacity": 0, "lineWidth": 1}
    return defaults


def _dashes(legend: str) -> Json:
    return {
        "matcher": {"id": "byRegexp", "options": f"/{legend}/"},
        "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 6]}}],
    }


def _options(view: View) -> Json:
    if view is View.LINES:
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if view is View.NUMBER:
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "values": False},
            "colorMode": "none",
            "graphMode": "none",
            "textMode": "auto",
        }
    return {"showHeader": True, "cellHeight": "sm"}


def _columns_of_labels() -> list[Json]:
    """A table of labels: neither the time of the query nor the metric's constant value."""
    hidden = {"Time": True, "Value": True, "__name__": True, "job": True}
    return [{"id": "organize", "options": {"excludeByName": hidden}}]
