"""Leaving in good order even when the broker is away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from streamal.errors import StreamalError

__all__ = ["close_all"]

_log = logging.getLogger(__name__)


def close_all(*closes: Callable[[], object]) -> None:
    """Call each in turn, whatever the ones before it raised.

    What can't be said to a broker that is away, its timeouts see to: it expels the member and
    aborts the transaction. Nothing is lost by that, so nothing is raised.
    """
    for close in closes:
        try:
            close()
        except StreamalError as error:
            _log.warning("while closing: %s", error)
