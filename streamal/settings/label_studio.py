"""Label Studio as the review tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from streamal.settings.common import Section

__all__ = ["LabelStudioSettings"]


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise PydanticCustomError("web_address", "must begin with http:// or https://")
    return text


_WebAddress = Annotated[str, AfterValidator(_web_address)]
_Display: TypeAlias = Literal["table", "text", "link", "image", "audio", "video", "hidden"]


class LabelStudioSettings(Section):
    """Label Studio as the review tool (`streamal run --role label-studio`).

    Attributes:
        url: of Label Studio.
        token: a personal access token, or a legacy token where they are still allowed, of a user
            who may make or change the project.
        project_id: project to use; without one, the project called `project_title` is used, or
            made.
        project_title: title of that project; empty for the pipeline's name.
        display: how a feature is shown that is not (only) in the table: `text`, `link`, `image`,
            `audio`, `video` or `hidden`. Only what is named here is loaded by the page. Takes
            effect when the project is made.
        preannotation: whose answer is filled in beforehand: `production`, `model` or `none`.
        max_batch_tasks: most tasks in one import.
        max_open_tasks: tasks that wait for an answer before more reviews are sent over.
        remove_expired: delete tasks that nobody answered before the review expired.
        poll_seconds: time between two looks at the project when no webhook calls.
        request_timeout_seconds: longest wait for an answer of Label Studio.
        state_path: SQLite file of what was sent and published; a view that is rebuilt when lost.
        webhook_url: address under which Label Studio reaches this bridge; empty for polling alone.
            Must end in `/label-studio`. Label Studio calls private addresses only when it runs
            with SSRF_PROTECTION_ENABLED=false.
        webhook_host: address to listen on for it.
        webhook_port: its port; 0 picks a free one.
        webhook_secret: what its calls must carry.
    """

    url: _WebAddress = "http://localhost:8080"
    token: SecretStr | None = None
    project_id: int | None = Field(default=None, ge=1)
    project_title: str = Field(default="", max_length=50)
    display: dict[str, _Display] = Field(default_factory=dict)
    preannotation: Literal["production", "model", "none"] = "production"
    max_batch_tasks: int = Field(default=100, ge=1, le=1000)
    max_open_tasks: int = Field(default=1000, ge=1, le=1_000_000)
    remove_expired: bool = True
    poll_seconds: float = Field(default=30, gt=0, le=86_400)
    request_timeout_seconds: float = Field(default=30, gt=0, le=600)
    state_path: Path = Path("streamal-label-studio.sqlite3")
    webhook_url: _WebAddress | None = None
    webhook_host: str = "127.0.0.1"
    webhook_port: int = Field(default=9465, ge=0, le=65_535)
    webhook_secret: SecretStr | None = None
