"""The report stands alone: no network, no scripts; and it shows what was run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from streamal.lab import Experiment, Results, Reviewers, report
from streamal.lab.summary import COLUMNS, summary

Run = Callable[[Experiment], Results]

#: Attributes with which a page can make a browser load something.
LOADING = {"src", "href", "srcset", "data", "action", "poster", "background", "xlink:href"}
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Collects the elements and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.extend(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture
def results(experiment: Experiment, run: Run) -> Results:
    return run(
        replace(
            experiment,
            strategies=("margin", "vote_entropy"),
            budgets=(0.05, 0.2),
            reviewers=Reviewers(delay=7, noise=0.05, missing=0.1),
            seeds=2,
        )
    )


def test_nothing_outside_is_referred_to(results: Results) -> None:
    text = report(results)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in LOADING or name.startswith("on")]
    assert not re.search(r"https?:|//\w|url\(|@import|javascript:", text)
    assert "default-src 'none'" in text


def test_every_group_has_its_charts_with_titles(results: Results) -> None:
    page = Page(report(results))
    assert page.tags["svg"] == page.tags["desc"] == page.tags["figcaption"] == 2 * 5
    assert page.tags["title"] == 2 * 5 + 1
    identities = [value for name, value in page.attributes if name == "id"]
    assert len(identities) == len(set(identities))
    assert ("lang", "en") in page.attributes
    said = " ".join(page.text)
    for title in (
        "Accuracy against labels spent",
        "Accuracy over time",
        "Calibration",
        "Error yield",
        "Spend over time",
    ):
        assert said.count(title) >= 2
    assert "7 items later, 5.0% of them wrong, 10.0% never" in said


def test_the_table_has_a_row_for_each_combination(results: Results) -> None:
    page = Page(report(results))
    lines = summary(results.runs())
    assert page.tags["th"] == len(COLUMNS)
    assert page.tags["td"] == len(COLUMNS) * len(lines) == len(COLUMNS) * 4
    for line in lines:
        assert f"{line.accuracy:.2%}" in page.text
    in_order = [(line.budget, -line.accuracy) for line in lines]
    assert in_order == sorted(in_order)


def test_many_combinations_are_cut_to_what_can_be_told_apart(
    experiment: Experiment, run: Run
) -> None:
    policies = tuple(f"quantile,window={size}" for size in range(20, 30))
    text = report(run(replace(experiment, policies=policies, learners=("gaussian_nb",))))
    assert "The 8 most accurate of 10 are drawn" in text
    assert Page(text).tags["td"] == 10 * len(COLUMNS)


def test_names_are_escaped(experiment: Experiment, run: Run) -> None:
    odd = experiment.recording.path.rename(experiment.recording.path.with_name("a <b> & c.csv"))
    text = report(run(replace(experiment, recording=replace(experiment.recording, path=odd))))
    assert "<b>" not in text
    assert "a &lt;b&gt; &amp; c.csv" in text


def test_a_recording_shorter_than_the_curves(experiment: Experiment, run: Run) -> None:
    short = replace(experiment, recording=replace(experiment.recording, limit=7))
    assert Page(report(run(short))).tags["svg"] == 5


def test_a_change_that_the_labels_show_is_marked(experiment: Experiment, run: Run) -> None:
    """Production is right at first, then always wrong."""
    path = experiment.recording.path.with_name("drift.csv")
    rows = "".join(f"{n % 7},{'ab'[n % 2]},{'ab'[(n + (n >= 1000)) % 2]}\n" for n in range(2000))
    path.write_text("x,truth,said\n" + rows, encoding="utf-8")
    recording = replace(experiment.recording, path=path, probabilities=None)
    results = run(replace(experiment, recording=recording, budgets=(0.3,)))
    (trace,) = (results.traces[setup] for setup in results.experiment.setups())
    assert 1000 in trace.drifts
    assert "change of production" in report(results)
