"""From a review request to a task: what the annotator sees, and no more than they should."""

from __future__ import annotations

from html import escape
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from streamal.connectors.label_studio.labelling import Interface, Shown, variable
from streamal.events import ReviewRequest

__all__ = ["Preannotation", "task_document"]

#: Whose answer is filled in beforehand.
Preannotation = Literal["production", "model", "none"]

#: Tags whose value the page fetches.
_FETCHING: Final = frozenset({"Image", "Audio", "AudioPlus", "Video", "Pdf", "TimeSeries"})
#: A row of the table, which every interface of ours has.
_MADE_UP: Final = {"made-up item": "no event was ever like it; skip it if such a thing cannot be"}
_MARKUP: Final = frozenset({"HyperText", "Paragraphs"})


def task_document(
    review: ReviewRequest,
    interface: Interface,
    *,
    hidden: frozenset[str] = frozenset(),
    preannotation: Preannotation = "production",
) -> dict[str, Any]:
    """A task as Label Studio imports it.

    Neither the score nor the reason of routing is in it: an annotator who knows that an item is
    suspicious finds something.

    Args:
        review: what to look at.
        interface: of the project.
        hidden: features that are not to be shown.
        preannotation: whose answer is filled in beforehand.
    """
    features = {name: value for name, value in review.features.items() if name not in hidden}
    table = {name: _plain(value) for name, value in features.items()}
    if review.synthetic:
        table |= _MADE_UP
    data: dict[str, Any] = {
        "event_id": review.event_id,
        "pipeline": review.pipeline,
        "occurred_at": review.occurred_at.isoformat(),
        "expires_at": review.expires_at.isoformat(),
        # A project without a table would show the features nowhere, but people can look them up.
        "features": table,
    }
    by_variable = {variable(name): value for name, value in features.items()}
    for shown in interface.shown:
        if shown.variable not in data:
            data[shown.variable] = _shown(shown, by_variable.get(shown.variable))
    prediction = _prediction(review, interface, preannotation)
    return {"data": data, "predictions": [] if prediction is None else [prediction]}


def _plain(value: object) -> object:
    """As its table shows it; of booleans it shows nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else value


def _shown(shown: Shown, value: object) -> object:
    """A value that its tag can show; empty when there is none, since none may be left out."""
    if value is None:
        return ""
    text = str(_plain(value))
    if shown.tag in _FETCHING:
        return text if _is_address(text) else ""
    if shown.tag in _MARKUP:
        return _link(text) if _is_address(text) else escape(text)
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _link(address: str) -> str:
    safe = escape(address, quote=True)
    return f'<a href="{safe}" target="_blank" rel="noopener noreferrer">{safe}</a>'


def _prediction(
    review: ReviewRequest, interface: Interface, preannotation: Preannotation
) -> dict[str, Any] | None:
    """The answer that is filled in; None when there is none that the control could hold."""
    if preannotation == "none" or (review.synthetic and preannotation == "production"):
        return None  # production never saw a made-up item
    by_production = preannotation == "production"
    opinion = review.prediction if by_production else review.model
    version = review.produced_by.version if by_production else f"streamal {review.model.version}"
    value = _value(opinion.label, opinion.value, interface)
    if value is None:
        return None
    document: dict[str, Any] = {
        "model_version": f"{review.produced_by.name} {version}" if by_production else version,
        "result": [
            {
                "from_name": interface.control,
                "to_name": interface.to_name,
                "type": interface.kind,
                "value": value,
            }
        ],
    }
    probabilities = opinion.probabilities or {}
    if opinion.label in probabilities:
        document["score"] = probabilities[opinion.label]
    return document


def _value(label: str | None, value: float | None, interface: Interface) -> dict[str, Any] | None:
    if interface.kind == "number":
        return None if value is None else {"number": value}
    return {"choices": [label]} if label in interface.choices else None
