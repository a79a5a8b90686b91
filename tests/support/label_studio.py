"""The real Label Studio with a database of its own, and people who annotate through its API."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from streamal.connectors.label_studio.documents import Annotation, Task
from tests.support.site import free_port

_EMAIL = "lead@example.com"
_PASSWORD = "only-for-tests-1"  # noqa: S105  of a database that is thrown away
#: Its migrations take most of this.
_START_SECONDS = 420.0


def missing_label_studio() -> str | None:
    """Why it can't be used; None when it is installed."""
    if shutil.which("label-studio") is None:
        return "label-studio is not on the PATH (.ci/run installs it into its cache)"
    return None


class LabelStudio:
    """A server on a free port; a context manager.

    Args:
        folder: for its database and log.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "label-studio.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.token = ""

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "LABEL_STUDIO_BASE_DATA_DIR": str(self._folder / "data"),
            "DJANGO_DB": "sqlite",
            "LABEL_STUDIO_USERNAME": _EMAIL,
            "LABEL_STUDIO_PASSWORD": _PASSWORD,
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            # The bridge listens on this machine.
            "SSRF_PROTECTION_ENABLED": "false",
        }
        executable = shutil.which("label-studio") or "label-studio"
        command = [executable, "start", "--no-browser", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            self._await()
            self.token = self._new_token()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def freeze(self) -> None:
        """It accepts connections and answers nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It answers again."""
        self._signal(signal.SIGCONT)

    def people(self) -> Annotators:
        """Someone who annotates."""
        return Annotators(self.url, self.token)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _stop(self) -> None:
        if self._process is not None:
            self.thaw()
            self._process.kill()
            self._process.wait()

    def _await(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert self._process is not None
            try:
                if httpx.get(f"{self.url}/health", timeout=5).is_success:
                    return
            except httpx.TransportError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Label Studio does not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.3)

    def _new_token(self) -> str:
        """A personal access token, as its user would make one in the browser."""
        with httpx.Client(base_url=self.url, timeout=30) as browser:
            browser.get("/user/login/")
            form = {
                "email": _EMAIL,
                "password": _PASSWORD,
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            browser.post("/user/login/", data=form, headers={"Referer": self.url})
            headers = {"X-CSRFToken": browser.cookies["csrftoken"], "Referer": self.url}
            answer = browser.post("/api/token/", json={}, headers=headers)
            answer.raise_for_status()
            token: str = answer.json()["token"]
            return token


class Annotators:
    """What the browser does for those who annotate, as far as the server sees it."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        self._refresh = token
        self._renewed = 0.0

    def close(self) -> None:
        """Free the connections."""
        self._http.close()

    def call(self, method: str, path: str, document: object = None, **params: str | int) -> Any:  # noqa: ANN401  JSON
        """One call with a token that has not run out."""
        if time.monotonic() > self._renewed + 120:
            answer = self._http.post("/api/token/refresh/", json={"refresh": self._refresh})
            self._http.headers["Authorization"] = f"Bearer {answer.json()['access']}"
            self._renewed = time.monotonic()
        response = self._http.request(method, path, json=document, params=params)
        response.raise_for_status()
        return response.json() if response.content else None

    def project_titled(self, title: str) -> Mapping[str, Any] | None:
        """The project of a bridge; None before it has made it."""
        found = self.call("GET", "/api/projects/", page_size=1000)["results"]
        return next((project for project in found if project["title"] == title), None)

    def tasks(self, project: int) -> list[Task]:
        """Every task with its annotations."""
        if not self.call("GET", f"/api/projects/{project}/")["task_number"]:
            return []
        answer = self.call("GET", "/api/tasks/", project=project, page_size=10_000, fields="all")
        return [Task.model_validate(each) for each in answer["tasks"]]

    def annotate(self, task: int, choice: str, *, note: str | None = None) -> Annotation:
        """Submit a class."""
        answer = self.call("POST", f"/api/tasks/{task}/annotations/", _said(choice, note))
        return Annotation.model_validate(answer)

    def skip(self, task: int) -> None:
        """Pass a task on."""
        document = {"result": [], "was_cancelled": True}
        self.call("POST", f"/api/tasks/{task}/annotations/", document)

    def edit(self, annotation: int, choice: str) -> None:
        """Think again."""
        self.call("PATCH", f"/api/annotations/{annotation}/", _said(choice, None))

    def delete(self, annotation: int) -> None:
        """Take it back."""
        self.call("DELETE", f"/api/annotations/{annotation}/")


def _said(choice: str, note: str | None) -> dict[str, Any]:
    result: list[dict[str, Any]] = [
        {
            "from_name": "label",
            "to_name": "features",
            "type": "choices",
            "value": {"choices": [choice]},
        }
    ]
    if note is not None:
        remark = {"from_name": "note", "to_name": "features", "type": "textarea"}
        result.append({**remark, "value": {"text": [note]}})
    return {"result": result, "lead_time": 2.5}
