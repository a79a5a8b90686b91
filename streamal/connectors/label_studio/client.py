"""Label Studio's REST API, as far as the bridge needs it. The only module that knows httpx.

Every call either answers or raises one of the project's errors; nothing is retried in here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import httpx
import orjson
from pydantic import TypeAdapter, ValidationError

from streamal.connectors.label_studio.documents import Page, Person, Project, Task, Webhook
from streamal.errors import Fatal, LabelStudioRefused, LabelStudioUnavailable, Unauthorized

__all__ = ["LabelStudioClient"]

_Shape = TypeVar("_Shape")

#: Tasks in one answer: about a second's work for a Label Studio on SQLite.
_PAGE_TASKS: Final = 100
_SERVER_ERROR: Final = 500
#: Request time-out, too early, too many requests.
_RETRY_LATER: Final = frozenset({408, 425, 429})
_MAX_DETAIL: Final = 500
_JWT_PARTS: Final = 3


class LabelStudioClient:
    """One connection to one Label Studio. Used by one thread.

    Every method may raise `LabelStudioUnavailable` (no answer, or one that says "not now"),
    `Unauthorized` (the token is refused or may not do this) and `Fatal` (what is asked for is gone,
    or the answer is not Label Studio's).

    Args:
        url: of Label Studio, with its path prefix if it has one.
        token: a personal access token (a JWT, exchanged for short-lived access tokens) or a legacy
            token.
        timeout_seconds: longest wait for an answer.
        transport: in place of the network, for tests.
    """

    def __init__(
        self,
        url: str,
        token: str,
        timeout_seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout_seconds,
            transport=transport,
            auth=_TokenAuth(token, f"{self.url}/api/token/refresh/"),
        )

    def close(self) -> None:
        """Free the connections. May be called twice."""
        self._http.close()

    def ping(self) -> None:
        """Return when Label Studio answers."""
        self._send("GET", "/health")

    def project(self, project_id: int) -> Project | None:
        """A project by id; None when there is none that this token may see."""
        try:
            return _parsed(Project, self._call("GET", f"/api/projects/{project_id}/"))
        except _Missing:
            return None

    def project_titled(self, title: str) -> Project | None:
        """The oldest project with exactly this title."""
        params: dict[str, str | int] = {"title": title, "page_size": 1000}
        answer = self._call("GET", "/api/projects/", params=params)
        found = _parsed(list[Project], answer.get("results") if isinstance(answer, dict) else None)
        same = [project for project in found if project.title == title]
        return min(same, key=lambda project: project.id, default=None)

    def create_project(self, document: Mapping[str, Any]) -> Project:
        """A new project.

        Raises:
            LabelStudioRefused: it finds fault with it.
        """
        return _parsed(Project, self._call("POST", "/api/projects/", document))

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Add tasks, all or none.

        Raises:
            LabelStudioRefused: it finds fault with one of them.
            LabelStudioUnavailable: whether they were added is not known.
        """
        self._call("POST", f"/api/projects/{project_id}/import", list(tasks))

    def delete_tasks(self, project_id: int, task_ids: Sequence[int]) -> None:
        """Delete tasks with everything that hangs on them."""
        self._call(
            "POST",
            "/api/dm/actions",
            {"selectedItems": {"all": False, "included": list(task_ids)}},
            {"id": "delete_tasks", "project": project_id},
        )

    def latest_change(self, project_id: int) -> Task | None:
        """The task that changed last; None while the project is empty."""
        query = {"ordering": ["-tasks:updated_at"]}
        return next(iter(self._page(project_id, query, size=1, fields="task_only")), None)

    def tasks(
        self, project_id: int, *, above_id: int = 0, changed_after: str | None = None
    ) -> Iterator[tuple[Task, ...]]:
        """Pages of tasks with their annotations, by ascending id; no page is empty.

        Args:
            project_id: of the project.
            above_id: only those with a higher id.
            changed_after: only those that changed later: `2026-01-31T23:59:59.123456Z`.
        """
        # By id, not by page number: what changes meanwhile must not shift the pages.
        while True:
            filters = [_filter("id", "Number", above_id)]
            if changed_after is not None:
                filters.append(_filter("updated_at", "Datetime", changed_after))
            query = {
                "filters": {"conjunction": "and", "items": filters},
                "ordering": ["tasks:id"],
            }
            page = self._page(project_id, query, size=_PAGE_TASKS)
            if page:
                yield page
            if len(page) < _PAGE_TASKS:
                return
            above_id = page[-1].id

    def tasks_by_id(self, project_id: int, task_ids: Sequence[int]) -> tuple[Task, ...]:
        """Those of some tasks that exist, with their annotations."""
        query = {"selectedItems": {"all": False, "included": list(task_ids)}}
        return self._page(project_id, query, size=max(1, len(task_ids)))

    def people(self) -> dict[int, str]:
        """E-mail addresses by user id."""
        found = _parsed(list[Person], self._call("GET", "/api/users/"))
        return {person.id: person.email for person in found}

    def webhooks(self, project_id: int) -> list[Webhook]:
        """Those of a project."""
        params = {"project": project_id}
        return _parsed(list[Webhook], self._call("GET", "/api/webhooks/", params=params))

    def save_webhook(self, webhook_id: int | None, document: Mapping[str, Any]) -> None:
        """Register an address, or change one that is registered.

        Raises:
            LabelStudioRefused: it does not take the address; by default it calls no private ones.
        """
        try:
            if webhook_id is None:
                self._call("POST", "/api/webhooks/", document)
            else:
                self._call("PATCH", f"/api/webhooks/{webhook_id}/", document)
        except Unauthorized as error:
            raise LabelStudioRefused(str(error)) from error

    def _page(
        self, project_id: int, query: Mapping[str, Any], *, size: int, fields: str = "all"
    ) -> tuple[Task, ...]:
        params: dict[str, str | int] = {
            "project": project_id,
            "page_size": size,
            "fields": fields,
            "query": orjson.dumps(query).decode(),
        }
        return _parsed(Page, self._call("GET", "/api/tasks/", params=params)).tasks

    def _call(
        self,
        method: str,
        path: str,
        document: object = None,
        params: Mapping[str, str | int] | None = None,
    ) -> object:
        """The JSON of a successful answer."""
        response = self._send(method, path, document, params)
        about = f"Label Studio: {method} {path}: {_detail(response)}"
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise Unauthorized(f"label_studio.token is refused: {about}")
        if response.status_code == httpx.codes.FORBIDDEN:
            raise Unauthorized(about)
        if response.status_code == httpx.codes.NOT_FOUND:
            raise _Missing(about)
        if not response.is_success:
            raise LabelStudioRefused(about)
        return _json(response)

    def _send(
        self,
        method: str,
        path: str,
        document: object = None,
        params: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        """Any answer but those that pass by themselves."""
        content = None if document is None else orjson.dumps(document)
        headers = {} if document is None else {"Content-Type": "application/json"}
        about = f"Label Studio at {self.url}"
        try:
            response = self._http.request(
                method, path, content=content, params=params, headers=headers
            )
        except httpx.TransportError as error:
            raise LabelStudioUnavailable(
                f"{about}: {str(error) or type(error).__name__}"
            ) from error
        if _passes(response):
            raise LabelStudioUnavailable(f"{about}: {_detail(response)}")
        return response


class _Missing(Fatal):
    """What was asked for does not exist (any more)."""


class _TokenAuth(httpx.Auth):
    """Sends either kind of token; gets a new access token when there is none or it has run out.

    Args:
        token: as Label Studio shows it to its user.
        refresh_url: where a personal access token is exchanged.
    """

    requires_response_body = True

    def __init__(self, token: str, refresh_url: str) -> None:
        self._token = token
        self._refresh_url = refresh_url
        self._access: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request, with what it takes to get it accepted."""
        if len(self._token.split(".")) != _JWT_PARTS:
            request.headers["Authorization"] = f"Token {self._token}"
            yield request
            return
        if self._access is None:
            self._access = self._exchanged((yield self._exchange()))
        request.headers["Authorization"] = f"Bearer {self._access}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._access = self._exchanged((yield self._exchange()))
            request.headers["Authorization"] = f"Bearer {self._access}"
            yield request

    def _exchange(self) -> httpx.Request:
        return httpx.Request("POST", self._refresh_url, json={"refresh": self._token})

    def _exchanged(self, response: httpx.Response) -> str:
        if _passes(response):
            raise LabelStudioUnavailable(f"Label Studio: {_detail(response)}")
        if not response.is_success:
            raise Unauthorized(f"label_studio.token is refused: {_detail(response)}")
        access: str = _parsed(dict[str, Any], _json(response)).get("access", "")
        return access


def _filter(column: str, kind: str, above: int | str) -> dict[str, object]:
    """In the language of the Data Manager: a column above a value."""
    return {
        "filter": f"filter:tasks:{column}",
        "operator": "greater",
        "type": kind,
        "value": above,
    }


def _passes(response: httpx.Response) -> bool:
    return response.status_code >= _SERVER_ERROR or response.status_code in _RETRY_LATER


def _json(response: httpx.Response) -> object:
    if not response.content:
        return None
    try:
        document: object = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise Fatal(
            f"label_studio.url: {response.request.url} did not answer with JSON; "
            "is it Label Studio?"
        ) from None
    return document


def _parsed(shape: type[_Shape], document: object) -> _Shape:
    try:
        return TypeAdapter(shape).validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Fatal(
            f"label_studio.url: not an answer of Label Studio: {place}: {first['msg']}"
        ) from None


def _detail(response: httpx.Response) -> str:
    """One line: status and what the body says."""
    text = " ".join(response.text.split())
    return f"{response.status_code} {text[:_MAX_DETAIL]}"
