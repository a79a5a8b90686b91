"""The bridge's role: reviews to Label Studio, its answers back, and coming back after anything."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.connectors.label_studio.collecting import Collector
from streamal.connectors.label_studio.feed import Feed
from streamal.connectors.label_studio.importing import Importer
from streamal.connectors.label_studio.mirror import Mirror
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.connectors.label_studio.project import open_project
from streamal.connectors.label_studio.webhook import Bell, WebhookServer
from streamal.errors import Retriable, StreamalError
from streamal.ports import Broker, Clock, TransactionalProducer
from streamal.roles.closing import close_all
from streamal.telemetry.metrics import Metrics

__all__ = ["LabelStudioRole"]

_log = logging.getLogger(__name__)

#: Waits between tries while Label Studio answers some requests and fails on others; when it answers
#: none, the loop waits.
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Session:
    """What is open while both sides answer."""

    mirror: Mirror
    feed: Feed
    producer: TransactionalProducer
    importer: Importer
    collector: Collector


class LabelStudioRole:
    """Between one pipeline and one project of Label Studio.

    Args:
        broker: the log.
        client: of Label Studio.
        options: settings.
        open_mirror: opens the file of a project.
        bell: rung by `webhooks`.
        webhooks: serves the address that Label Studio calls; None for polling alone.
        clock: time of day.
        metrics: counts.
        regression: whether numbers are asked for.
    """

    name = "label-studio"

    def __init__(
        self,
        *,
        broker: Broker,
        client: LabelStudioClient,
        options: BridgeOptions,
        open_mirror: Callable[[int], Mirror],
        bell: Bell,
        webhooks: WebhookServer | None,
        clock: Clock,
        metrics: Metrics,
        regression: bool = False,
    ) -> None:
        self._broker = broker
        self._client = client
        self._options = options
        self._open_mirror = open_mirror
        self._bell = bell
        self._webhooks = webhooks
        self._clock = clock
        self._metrics = metrics
        self._regression = regression
        self._session: _Session | None = None
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    def start(self) -> None:
        """Listen for webhooks. Label Studio is met in the first step: it may come up later."""
        if self._webhooks is not None:
            self._webhooks.start()

    def step(self) -> None:
        """Take in reviews, send some over, bring answers back.

        Raises:
            Retriable: call `recover`, then step again.
        """
        if self._session is None:
            self._session = self._open()
        session = self._session
        session.feed.follow(self._options.poll_timeout_seconds)
        session.collector.step()
        session.importer.step()
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    def recover(self, error: Retriable) -> None:
        """Close everything, and return once Label Studio answers; later after each failure."""
        _log.debug("recovering from %s", error)
        self._close_session()
        self._clock.sleep(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
        self._client.ping()

    def close(self) -> None:
        """Free everything; what was not published yet, the next start finds."""
        self._close_session()
        if self._webhooks is not None:
            self._webhooks.close()
        self._client.close()

    def _open(self) -> _Session:
        workplace = open_project(self._client, self._options, regression=self._regression)
        mirror = self._open_mirror(workplace.project_id)
        closes: list[Callable[[], object]] = [mirror.close]
        try:
            # Fencing comes before reading: no label of a predecessor can appear after this.
            producer = self._broker.transactional_producer(self._options.transactional_id)
            closes += [producer.close, producer.abort]
            feed = Feed(self._broker, self._options, mirror)
            closes.append(feed.close)
            parts = (self._client, workplace, mirror, self._options)
            importer = Importer(*parts, self._clock, self._metrics)
            importer.find_tasks()
        except StreamalError:
            close_all(*reversed(closes))
            raise
        mirror.drop_expired_before(self._clock.now() - self._options.retain_seconds)
        collector = Collector(*parts, producer, self._bell, self._clock, self._metrics)
        return _Session(mirror, feed, producer, importer, collector)

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            close_all(
                session.feed.close,
                session.producer.abort,
                session.producer.close,
                session.mirror.close,
            )
