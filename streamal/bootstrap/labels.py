"""What becomes of labels, built from settings."""

from __future__ import annotations

import math
from hashlib import blake2b
from pathlib import Path

import orjson

from streamal.bootstrap.names import topics_of
from streamal.bootstrap.parts import task_rules
from streamal.core.annotation import Answer, CollapseDetector, DawidSkene
from streamal.core.types import FeatureValue, Task
from streamal.errors import SettingsInvalid
from streamal.roles.gold import GoldItem, GoldShare
from streamal.roles.label_rules import LabelRules
from streamal.roles.notices import Notices
from streamal.settings import LabelSettings, Settings
from streamal.state.annotators import Guard
from streamal.state.consensus import ConsensusRules
from streamal.state.judge import JudgeRules
from streamal.tabular import class_name, read_rows

__all__ = ["check_labels", "gold_items", "gold_share", "judge_rules", "label_rules", "notices"]


def label_rules(settings: Settings) -> LabelRules:
    """Whose answers, and which, the pipeline takes."""
    labels = settings.labels
    return LabelRules(task_rules(settings), frozenset(labels.annotators), frozenset(labels.leads))


def judge_rules(settings: Settings) -> JudgeRules:
    """How answers become verdicts.

    Raises:
        SettingsInvalid: crowd-kit is missing, or the gold items cannot be read.
    """
    labels, pipeline = settings.labels, settings.pipeline
    return JudgeRules(
        consensus=ConsensusRules(
            method=labels.consensus,
            least_confidence=labels.min_confidence,
            classes=len(pipeline.classes),
            tolerance=math.inf if pipeline.tolerance is None else pipeline.tolerance,
            dawid_skene=_dawid_skene() if labels.consensus == "dawid_skene" else None,
        ),
        guard=_guard(labels),
        adjudication_seconds=labels.ttl_seconds,
        gold={item.item: item.answer for item in gold_items(settings)},
    )


def notices(settings: Settings) -> Notices:
    """What the trainer tells people about labels."""
    return Notices(
        settings.pipeline.name,
        topics_of(settings),
        settings.labels.ttl_seconds,
        settings.labels.guard.min_agreement,
    )


def gold_share(settings: Settings) -> GoldShare | None:
    """The gold items to mix in; None when there are none."""
    items = gold_items(settings)
    return GoldShare(items, settings.labels.gold.share, settings.pipeline.seed) if items else None


def gold_items(settings: Settings) -> tuple[GoldItem, ...]:
    """The gold items of the configured file, in its order.

    Raises:
        SettingsInvalid: the file cannot be read, a row has no answer, or two rows contradict.
    """
    path = settings.labels.gold.path
    if path is None:
        return ()
    if not path.is_file():
        raise SettingsInvalid(f"labels.gold.path = '{path}': no such file")
    found: dict[str, GoldItem] = {}
    for number, row in enumerate(read_rows(path), 1):
        item = _gold_item(settings, path, number, row)
        if found.setdefault(item.item, item).answer != item.answer:
            raise SettingsInvalid(
                f"labels.gold.path: {path}, row {number}: another row has the same features and "
                "another answer"
            )
    if not found:
        raise SettingsInvalid(f"labels.gold.path = '{path}': has no rows")
    return tuple(found.values())


def _gold_item(
    settings: Settings, path: Path, number: int, row: dict[str, FeatureValue]
) -> GoldItem:
    gold, place = settings.labels.gold, f"labels.gold.path: {path}, row {number}"
    answer, shown = row.pop(gold.label, None), row.pop(gold.prediction, None)
    if answer is None:
        raise SettingsInvalid(f"{place}: has nothing in column {gold.label} (labels.gold.label)")
    digest = blake2b(orjson.dumps(row, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
    return GoldItem(
        digest,
        row,
        _known_answer(settings, place, answer),
        None if shown is None else _known_answer(settings, place, shown),
    )


def _known_answer(settings: Settings, place: str, value: FeatureValue) -> Answer:
    if Task(settings.pipeline.task) is Task.REGRESSION:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsInvalid(f"{place}: {value!r} is no number")
        return float(value)
    name, classes = class_name(value), settings.pipeline.classes
    if classes and name not in classes:
        raise SettingsInvalid(f"{place}: {name!r} is none of pipeline.classes")
    return name


def _guard(labels: LabelSettings) -> Guard:
    guard = labels.guard
    detector = CollapseDetector(guard.min_agreement, guard.false_alarm) if guard.enabled else None
    return Guard(detector, guard.min_comparisons)


def _dawid_skene() -> DawidSkene:
    try:
        return DawidSkene()
    except ImportError as error:
        raise SettingsInvalid(
            "labels.consensus = 'dawid_skene': needs crowd-kit; install streamal[consensus]"
        ) from error


def check_labels(settings: Settings) -> None:
    """Find what only the parts can see.

    Raises:
        SettingsInvalid: with the first problem.
    """
    judge_rules(settings)
    labels, partitions = settings.labels, settings.topics.labels_partitions
    if labels.consensus != "majority" and partitions > 1:
        raise SettingsInvalid(
            f"labels.consensus = '{labels.consensus}': needs topics.labels_partitions = 1, because "
            "weights follow from the order of all labels"
        )
