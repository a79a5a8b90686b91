"""A Label Studio in memory behind the client's transport: what the real one does, and its faults.

`tests/integration/test_label_studio.py` runs the same bridge against the real one.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

LEGACY_TOKEN = "0123456789abcdef"  # noqa: S105  of nothing
PERSONAL_TOKEN = "header.refresh.signature"  # noqa: S105  of nothing


@dataclass
class FakeStudio:
    """One server with its projects, tasks and annotations.

    Attributes:
        away: it answers nobody.
        lose_next_import: it takes the next import, and its answer is lost.
        fail_next_import: it fails before the next import takes effect.
        refuse: tasks that it finds fault with.
        private_webhooks: whether it takes webhooks.
        access: the access token that it takes now.
    """

    away: bool = False
    lose_next_import: bool = False
    fail_next_import: bool = False
    refuse: Callable[[dict[str, Any]], bool] = lambda _: False
    private_webhooks: bool = True
    access: str = "access-1"
    projects: dict[int, dict[str, Any]] = field(default_factory=dict)
    all_tasks: dict[int, dict[str, Any]] = field(default_factory=dict)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def transport(self) -> httpx.MockTransport:
        """The way to it."""
        return httpx.MockTransport(self._answer)

    def annotate(
        self,
        event_id: str,
        choice: str | None,
        *,
        person: int | None = 1,
        **fields: Any,  # noqa: ANN401  any field
    ) -> int:
        """Someone submits a class; the annotation's id."""
        task = self.task(event_id)
        annotation = {
            "id": next(self._ids),
            "completed_by": person,
            "result": [] if choice is None else [_choice(choice)],
            "was_cancelled": False,
            "updated_at": self._touch(task),
            **fields,
        }
        task["annotations"].append(annotation)
        return int(annotation["id"])

    def edit(self, event_id: str, annotation: int, choice: str) -> None:
        """Someone thinks again."""
        task = self.task(event_id)
        for each in task["annotations"]:
            if each["id"] == annotation:
                each.update(result=[_choice(choice)], updated_at=self._touch(task))

    def delete(self, event_id: str, annotation: int) -> None:
        """Someone takes it back."""
        task = self.task(event_id)
        task["annotations"] = [each for each in task["annotations"] if each["id"] != annotation]
        self._touch(task)

    def task(self, event_id: str) -> dict[str, Any]:
        """The oldest task of an event."""
        return next(
            task for task in self.all_tasks.values() if task["data"].get("event_id") == event_id
        )

    def events(self) -> list[str]:
        """The event of each task, by id of the task."""
        return [task["data"]["event_id"] for _, task in sorted(self.all_tasks.items())]

    def add_task(self, project: int, data: dict[str, Any]) -> dict[str, Any]:
        """A task however it came."""
        task: dict[str, Any] = {
            "id": next(self._ids),
            "project": project,
            "data": data,
            "annotations": [],
        }
        self._touch(task)
        self.all_tasks[task["id"]] = task
        return task

    def _touch(self, task: dict[str, Any]) -> str:
        self._now += timedelta(milliseconds=1)
        task["updated_at"] = self._now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return str(task["updated_at"])

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        self.requests.append(f"{method} {path}")
        if self.away:
            raise httpx.ConnectError("connection refused", request=request)
        if path == "/health":
            return httpx.Response(200, json={"status": "UP"})
        document = json.loads(request.content) if request.content else None
        if path == "/api/token/refresh/":
            known = document == {"refresh": PERSONAL_TOKEN}
            return httpx.Response(200 if known else 401, json={"access": self.access})
        given = request.headers.get("Authorization")
        if given not in {f"Token {LEGACY_TOKEN}", f"Bearer {self.access}"}:
            return httpx.Response(401, json={"detail": "Invalid token."})
        return self._serve(method, path, document, request.url.params)

    def _serve(
        self,
        method: str,
        path: str,
        document: Any,  # noqa: ANN401  JSON
        params: httpx.QueryParams,
    ) -> httpx.Response:
        parts = path.strip("/").split("/")[1:]
        if parts[0] == "projects":
            return self._projects(method, parts[1:], document, params)
        if parts[0] == "tasks":
            return self._tasks(params)
        if parts[0] == "users":
            return httpx.Response(200, json=[{"id": 1, "email": "ann@example.com"}])
        if parts[0] == "webhooks":
            return self._webhooks(method, parts[1:], document)
        if parts[0] == "dm":
            for task_id in document["selectedItems"]["included"]:
                self.all_tasks.pop(task_id, None)
                self.deleted.append(task_id)
            return httpx.Response(200, json={})
        return httpx.Response(404, json={"detail": "Not found."})

    def _projects(
        self,
        method: str,
        parts: list[str],
        document: Any,  # noqa: ANN401  JSON
        params: httpx.QueryParams,
    ) -> httpx.Response:
        if parts[1:] == ["import"]:
            return self._import(int(parts[0]), document)
        if parts:
            project = self.projects.get(int(parts[0]))
            return httpx.Response(404 if project is None else 200, json=project or {})
        if method == "POST":
            project = {"id": next(self._ids), **document}
            self.projects[project["id"]] = project
            return httpx.Response(201, json=project)
        # Like the real one, which looks for the title anywhere in the name.
        found = [each for each in self.projects.values() if params["title"] in each["title"]]
        return httpx.Response(200, json={"results": found})

    def _import(self, project: int, tasks: list[dict[str, Any]]) -> httpx.Response:
        if self.fail_next_import:
            self.fail_next_import = False
            return httpx.Response(500, json={"detail": "database is locked"})
        if any(self.refuse(task) for task in tasks):
            return httpx.Response(400, json={"detail": "Validation error"})
        for task in tasks:
            self.add_task(project, task["data"])["predictions"] = task["predictions"]
        if self.lose_next_import:
            self.lose_next_import = False
            raise httpx.ReadTimeout("timed out")
        return httpx.Response(201, json={"task_count": len(tasks)})

    def _tasks(self, params: httpx.QueryParams) -> httpx.Response:
        query = json.loads(params["query"])
        found = [
            task for task in self.all_tasks.values() if task["project"] == int(params["project"])
        ]
        for each in query.get("filters", {}).get("items", []):
            column = each["filter"].removeprefix("filter:tasks:")
            found = [task for task in found if task[column] > each["value"]]
        if "selectedItems" in query:
            found = [task for task in found if task["id"] in query["selectedItems"]["included"]]
        order = query.get("ordering", ["tasks:id"])[0]
        column = order.removeprefix("-").removeprefix("tasks:")
        found.sort(key=lambda task: task[column], reverse=order.startswith("-"))
        return httpx.Response(200, json={"tasks": found[: int(params["page_size"])]})

    def _webhooks(self, method: str, parts: list[str], document: Any) -> httpx.Response:  # noqa: ANN401  JSON
        if method == "GET":
            return httpx.Response(200, json=self.hooks)
        if not self.private_webhooks:
            return httpx.Response(403, json={"detail": "URL resolves to a reserved address"})
        if method == "PATCH":
            hook = next(each for each in self.hooks if each["id"] == int(parts[0]))
            hook.update(document)
        else:
            self.hooks.append({"id": next(self._ids), **document})
        return httpx.Response(200, json=self.hooks[-1])


def _choice(choice: str) -> dict[str, Any]:
    return {
        "from_name": "label",
        "to_name": "features",
        "type": "choices",
        "value": {"choices": [choice]},
    }
