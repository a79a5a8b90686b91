"""Wires the bridge to Label Studio; imported only where that role runs, for it needs an extra."""

from __future__ import annotations

from streamal.bootstrap.names import label_studio_id, topics_of
from streamal.bootstrap.pipeline import Pipeline
from streamal.connectors.label_studio.bridge import LabelStudioRole
from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.connectors.label_studio.mirror import Mirror
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.connectors.label_studio.webhook import Bell, WebhookServer, webhook_app
from streamal.errors import SettingsInvalid
from streamal.settings import Settings
from streamal.state.database import Identity

__all__ = ["bridge_options", "new_bridge"]


def new_bridge(pipeline: Pipeline) -> LabelStudioRole:
    """The bridge of a pipeline.

    Raises:
        SettingsInvalid: there is no token, or the webhook's port is taken.
    """
    settings, studio = pipeline.settings, pipeline.settings.label_studio
    if studio.token is None:
        raise SettingsInvalid(
            "label_studio.token: needed for --role label-studio; set STREAMAL_LABEL_STUDIO__TOKEN"
        )
    options = bridge_options(settings)
    bell = Bell()
    webhooks = None
    if options.webhook_url is not None:
        app = webhook_app(options.webhook_secret, bell, pipeline.metrics)
        webhooks = WebhookServer(app, host=studio.webhook_host, port=studio.webhook_port)
    return LabelStudioRole(
        broker=pipeline.broker,
        client=LabelStudioClient(
            studio.url, studio.token.get_secret_value(), studio.request_timeout_seconds
        ),
        options=options,
        open_mirror=lambda project_id: Mirror(
            studio.state_path,
            Identity(
                settings.pipeline.name,
                f"{pipeline.log_identity()} {studio.url} project {project_id}",
            ),
        ),
        bell=bell,
        webhooks=webhooks,
        clock=pipeline.clock,
        metrics=pipeline.metrics,
        regression=settings.pipeline.task == "regression",
    )


def bridge_options(settings: Settings) -> BridgeOptions:
    """The settings of a bridge."""
    studio = settings.label_studio
    secret = studio.webhook_secret
    return BridgeOptions(
        topics=topics_of(settings),
        transactional_id=label_studio_id(settings),
        title=studio.project_title or settings.pipeline.name[:50],
        project_id=studio.project_id,
        classes=settings.pipeline.classes,
        display=studio.display,
        annotators_per_task=settings.labels.required,
        preannotation=studio.preannotation,
        max_batch_tasks=studio.max_batch_tasks,
        max_open_tasks=studio.max_open_tasks,
        remove_expired=studio.remove_expired,
        poll_seconds=studio.poll_seconds,
        request_timeout_seconds=studio.request_timeout_seconds,
        max_batch_records=settings.trainer.max_batch_records,
        poll_timeout_seconds=settings.trainer.poll_timeout_seconds,
        retain_seconds=settings.topics.retention_seconds,
        webhook_url=studio.webhook_url,
        webhook_secret=None if secret is None else secret.get_secret_value(),
    )
