"""The pages on which people review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import JSONResponse, RedirectResponse, Response

from streamal.console.desk import Choice, Done, Entry, Refused
from streamal.console.items import Filters, Item
from streamal.console.parts import Parts, Visit
from streamal.console.pictures import histogram
from streamal.console.presenting import Recent, fields, opinions, why
from streamal.events import ReviewRequest

__all__ = ["adjudicate", "answer", "item", "keep", "queue", "review", "status", "undo"]

#: Requests whose values make up the "recent" distribution.
_RECENT_ITEMS: Final = 500
_LISTED: Final = 100
_UP_NEXT: Final = 8
#: How long the last answer is offered for undoing in a line of its own.
_TOAST_SECONDS: Final = 120.0
_FILTERS: Final = ("search", "reason", "segment", "version")
#: Filters and marks that would tell a blind reviewer why an item came.
_TELLING: Final = frozenset({"reason"})


def review(visit: Visit) -> Response:
    """The next item of the queue."""
    filters = _filters(visit, visit.request.query_params)
    found = visit.parts.desk.take_next(visit.name, filters)
    return _work(visit, found, filters, back="/review")


def adjudicate(visit: Visit) -> Response:
    """For leads: the next item on which the answers disagree, and the list of all."""
    filters = _filters(visit, visit.request.query_params)
    found = visit.parts.desk.take_next(visit.name, filters, adjudication=True)
    return _work(visit, found, filters, back="/adjudicate")


def item(visit: Visit) -> Response:
    """A certain item; taken for answering where that is possible."""
    event_id = visit.query("id")
    found = visit.parts.desk.items.get(event_id)
    if found is None:
        return visit.page("message.html", 404, title="No such item", text=f"“{event_id}”")
    holder = None
    if visit.account.reviews and _answerable(visit, found):
        holder = visit.parts.desk.take(visit.name, event_id)
    back = "/adjudicate" if found.adjudication else "/review"
    return _work(visit, found, Filters(), back=back, holder=holder)


def answer(visit: Visit) -> Response:
    """Accept a posted answer, then show the next item."""
    try:
        choice = _choice(visit.form)
        if choice.action == "verdict" and not visit.account.leads:
            raise Refused("Only a lead decides.")
        visit.parts.desk.answer(visit.name, visit.form.get("item", ""), choice)
    except Refused as refused:
        visit.parts.flashes.leave(visit.name, str(refused))
    return _back(visit)


def undo(visit: Visit) -> Response:
    """Take back the last answer and show its item again."""
    try:
        done = visit.parts.desk.undo(visit.name)
    except Refused as refused:
        visit.parts.flashes.leave(visit.name, str(refused))
        return _back(visit)
    visit.parts.flashes.leave(visit.name, _undone(done))
    return RedirectResponse(f"/item?{urlencode({'id': done.event_id})}", 303)


def keep(visit: Visit) -> Response:
    """The page is still looked at: the item stays with its reviewer."""
    event_id = visit.form.get("item", "")
    found = visit.parts.desk.items.get(event_id)
    if found is None or not _answerable(visit, found):
        return JSONResponse({"held": False})
    return JSONResponse({"held": visit.parts.desk.take(visit.name, event_id) is None})


def queue(visit: Visit) -> Response:
    """The queue as a list, searched and filtered."""
    filters = _filters(visit, visit.request.query_params)
    parts, now = visit.parts, visit.parts.clock.now()
    found = parts.desk.items.queue(visit.name, filters, now, limit=_LISTED)
    return visit.page(
        "queue.html",
        items=found,
        listed=_LISTED,
        filters=filters,
        choices=_choices(visit),
        blind=_blind(visit),
        hide=_hides(visit),
    )


def status(visit: Visit) -> Response:
    """What the pages ask for every few seconds."""
    parts, now = visit.parts, visit.parts.clock.now()
    return JSONResponse(
        {
            "open": parts.desk.items.open_count(now),
            "disputes": parts.desk.items.open_count(now, adjudication=True),
            "outage": parts.outage(),
            "unsent": parts.outbox.waiting(),
        }
    )


def _work(
    visit: Visit, found: Item | None, filters: Filters, *, back: str, holder: str | None = None
) -> Response:
    parts, now = visit.parts, visit.parts.clock.now()
    disputes = back == "/adjudicate"
    ahead = parts.desk.items.queue(
        visit.name, filters, now, adjudication=disputes, limit=_UP_NEXT + 1
    )
    shown = None if found is None else found.review.event_id
    return visit.page(
        "review.html",
        back=back,
        here=f"{back}?{_address(filters)}",
        filters=filters,
        choices=_choices(visit),
        ahead=[each for each in ahead if each.review.event_id != shown][:_UP_NEXT],
        last=_last(parts, visit.name, now),
        today=parts.desk.answered_since(visit.name, now - 86_400),
        item=None if found is None else _shown(visit, found, holder),
        lease_seconds=parts.options.lease_seconds,
    )


def _shown(visit: Visit, found: Item, holder: str | None) -> dict[str, Any]:
    """An item as the template shows it."""
    parts, asked = visit.parts, found.review
    recent = Recent(parts.desk.items.recent(_RECENT_ITEMS))
    answers = parts.desk.items.answers(asked.event_id)
    others = answers if found.adjudication or visit.account.leads else []
    return {
        "request": asked,
        "fields": fields(asked.features, recent),
        "metadata": fields(asked.metadata),
        "histogram": histogram,
        "opinions": [] if _hides(visit) else opinions(asked),
        "why": None if _blind(visit) else why(asked),
        "options": _options(parts, asked),
        "any_class": not parts.options.classes,
        "mine": next((each for each in answers if each.annotator == visit.name), None),
        "answers": others,
        # An item with a second reviewer, to measure agreement, is one like any other.
        "required": 1 if _blind(visit) else found.required,
        "answered": found.answered,
        "adjudication": found.adjudication,
        "expires_at": found.expires_at,
        "occurred_at": asked.occurred_at.timestamp(),
        "holder": holder,
        "answerable": visit.account.reviews and holder is None and _answerable(visit, found),
        "done": found.done,
    }


def _answerable(visit: Visit, found: Item) -> bool:
    if found.done or found.expires_at <= visit.parts.clock.now():
        return False
    return visit.account.leads or not found.adjudication


def _options(parts: Parts, asked: ReviewRequest) -> list[str]:
    """Classes to choose from: the known ones, else all that anybody has named."""
    if parts.options.classes:
        return list(parts.options.classes)
    named = set(asked.prediction.probabilities or ()) | set(asked.model.probabilities)
    named |= {each for each in (asked.prediction.label, asked.model.label) if each is not None}
    return sorted(named | set(parts.desk.items.known_answers()))


def _choice(form: Mapping[str, str]) -> Choice:
    """What was posted.

    Raises:
        Refused: it is none of what the page offers.
    """
    kind, _, label = form.get("choice", "").partition(":")
    note = form.get("note", "")
    if kind in {"unsure", "skip"}:
        return Choice("unsure" if kind == "unsure" else "skip", note=note)
    action: Any = "verdict" if form.get("verdict") else "label"
    if kind == "label" and label:
        return Choice(action, label=label, note=note)
    if kind == "other" and form.get("other", "").strip():
        return Choice(action, label=form["other"].strip(), note=note)
    if kind == "value":
        try:
            return Choice(action, value=float(form.get("value", "")), note=note)
        except ValueError as error:
            raise Refused("This answer cannot be used: a number is needed.") from error
    raise Refused("Nothing was chosen.")


def _filters(visit: Visit, values: Mapping[str, str]) -> Filters:
    found = {name: values.get(name, "").strip()[:200] for name in _FILTERS}
    if _blind(visit):
        found |= dict.fromkeys(_TELLING, "")
    return Filters(**found)


def _choices(visit: Visit) -> dict[str, list[str]]:
    found = visit.parts.desk.items.choices(visit.parts.clock.now())
    return {**found, "reasons": []} if _blind(visit) else found


def _blind(visit: Visit) -> bool:
    """Whether this person must not know why an item came."""
    return visit.parts.options.blind_review and not visit.account.leads


def _hides(visit: Visit) -> bool:
    """Whether this person must not know what production said."""
    return visit.parts.options.hide_prediction and not visit.account.leads


def _address(filters: Filters) -> str:
    pairs = {name: getattr(filters, name) for name in _FILTERS}
    return urlencode({name: value for name, value in pairs.items() if value})


def _last(parts: Parts, name: str, now: float) -> Entry | None:
    """The reviewer's last answer, while it is fresh."""
    latest = parts.desk.audit(name, limit=1)
    if latest and latest[0].undone is None and now - latest[0].at < _TOAST_SECONDS:
        return latest[0]
    return None


def _undone(done: Done) -> str:
    what = "Withdrawn" if done.withdrawn else "Undone"
    return f"{what}: {done.answer or done.action} for {done.event_id}."


def _back(visit: Visit) -> Response:
    """To the page that the form was on, which is one of ours."""
    back = visit.form.get("back", "/review")
    is_ours = back.partition("?")[0] in {"/review", "/adjudicate", "/queue"}
    return RedirectResponse(back if is_ours else "/review", 303)
