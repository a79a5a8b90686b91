"""What is allowed and yet not as it was meant: settings without effect, a client that is slow."""

from __future__ import annotations

from contextlib import suppress

from streamal.bootstrap.parts import blank_model
from streamal.broker.kafka.checksums import checksum_warnings
from streamal.core.batch import Outputs
from streamal.core.features import FeatureColumns
from streamal.core.strategies import build_strategy
from streamal.core.types import Production
from streamal.errors import Reject
from streamal.settings import Settings

__all__ = ["client_warnings", "settings_warnings"]


def client_warnings() -> list[str]:
    """One line for each thing that makes the client library slower than it has to be."""
    return checksum_warnings()


def settings_warnings(settings: Settings) -> list[str]:
    """One line for each setting that will not have the effect that it seems to have."""
    strategy = build_strategy(settings.gate.strategy, settings.gate.strategy_parameters)
    lines = []
    if strategy.asks_committee and _committee_members(settings) < 2:
        events = "event" in settings.gate.committee
        hope = "; only events that carry one are told apart" if events else ""
        lines.append(
            f"gate.strategy = '{settings.gate.strategy}': asks a committee and none is set up, so "
            f"events score 1 and are drawn at random{hope}; set learner.committee_size"
        )
    if strategy.asks_boundary and not _is_linear(settings):
        lines.append(
            f"gate.strategy = '{settings.gate.strategy}': asks for the distance to a hyperplane, "
            f"and learner.name = '{settings.learner.name}' has none, so every event scores 1 and "
            "is drawn at random; take a linear learner"
        )
    labels = settings.labels
    asked = {labels.required, *labels.required_by_reason.values()}
    if labels.consensus != "majority" and max(asked) == 1 and not labels.overlap:
        lines.append(
            f"labels.consensus = '{labels.consensus}': every item is answered by one annotator, so "
            "there are no votes to combine; set labels.required or labels.overlap"
        )
    return lines


def _committee_members(settings: Settings) -> int:
    """How many members there may be; what events carry is not known before they come."""
    learner = settings.learner
    different = learner.committee_kind == "heterogeneous"
    seats = {
        "learner": len(learner.committee_learners) if different else learner.committee_size,
        "event": 0,
        "production": 1,
        "model": 1,
    }
    return sum(seats[seat] for seat in set(settings.gate.committee))


def _is_linear(settings: Settings) -> bool:
    """Whether the learner has a hyperplane once it knows two classes."""
    model, production, point = blank_model(settings), Production("a"), {"x": 1.0}
    with suppress(Reject):
        model.learn({"x": -1.0}, production, "a", event_id="0")
        model.learn(point, production, "b", event_id="1")
    probe = FeatureColumns([point]), Outputs.of([production])
    return model.boundary_distance(*probe) is not None
