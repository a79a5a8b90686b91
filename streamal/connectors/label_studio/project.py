"""The bridge's project in Label Studio: found or made, checked, and told whom to call."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.connectors.label_studio.documents import Project
from streamal.connectors.label_studio.labelling import Interface, labelling_config, read_interface
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.connectors.label_studio.webhook import SECRET_HEADER
from streamal.errors import LabelStudioRefused, SettingsInvalid

__all__ = ["Workplace", "open_project"]

_log = logging.getLogger(__name__)

#: Deleted tasks are not among them: who tidies up takes no answer back.
_ACTIONS = (
    "ANNOTATION_CREATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
)


@dataclass(frozen=True, slots=True)
class Workplace:
    """A project that the bridge can work with."""

    project_id: int
    interface: Interface


def open_project(
    client: LabelStudioClient, options: BridgeOptions, *, regression: bool = False
) -> Workplace:
    """Find the project, or make it, and register the webhook.

    Args:
        client: of Label Studio.
        options: settings.
        regression: whether numbers are asked for.

    Raises:
        SettingsInvalid: there is no such project, or its labelling interface won't do.
        Retriable: Label Studio does not answer.
    """
    project = _found(client, options)
    if project is None:
        project = _made(client, options, regression=regression)
    interface = read_interface(project.label_config, options.classes, regression=regression)
    if options.webhook_url is not None:
        _register_webhook(client, project.id, options.webhook_url, options.webhook_secret)
    return Workplace(project.id, interface)


def _found(client: LabelStudioClient, options: BridgeOptions) -> Project | None:
    if options.project_id is None:
        return client.project_titled(options.title)
    project = client.project(options.project_id)
    if project is None:
        raise SettingsInvalid(
            f"label_studio.project_id = {options.project_id}: Label Studio has no such project, or "
            "the token's user may not see it"
        )
    return project


def _made(client: LabelStudioClient, options: BridgeOptions, *, regression: bool) -> Project:
    document = {
        "title": options.title,
        "description": "Reviews that streamal asks for. Made by its bridge; tasks come and go.",
        "label_config": labelling_config(options.classes, options.display, regression=regression),
        "show_collab_predictions": options.preannotation != "none",
        "show_skip_button": True,
        "enable_empty_annotation": False,
        "maximum_annotations": options.annotators_per_task,
    }
    try:
        project = client.create_project(document)
    except LabelStudioRefused as error:
        raise SettingsInvalid(f"label_studio: the project can't be created: {error}") from None
    _log.info("made project %d, %r", project.id, project.title)
    return project


def _register_webhook(
    client: LabelStudioClient, project_id: int, url: str, secret: str | None
) -> None:
    """Without it, answers arrive with the next poll: worth a warning, not an end."""
    document = {
        "url": url,
        "project": project_id,
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": _ACTIONS,
        "headers": {} if secret is None else {SECRET_HEADER: secret},
        "is_active": True,
    }
    known = next((hook.id for hook in client.webhooks(project_id) if hook.url == url), None)
    try:
        client.save_webhook(known, document)
    except LabelStudioRefused as error:
        _log.warning(
            "Label Studio does not take the webhook %s, so answers wait for the next poll. It "
            "calls private addresses only with SSRF_PROTECTION_ENABLED=false. It said: %s",
            url,
            error,
        )
