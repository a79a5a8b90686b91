"""Creating and describing topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streamal.errors import TopicsInvalid
from streamal.ports import TopicSpec

if TYPE_CHECKING:
    from tests.contract.conftest import Bench


def test_only_missing_topics_are_created(bench: Bench) -> None:
    old, new = bench.name("old"), bench.name("new")
    admin = bench.broker.admin()
    assert admin.create_topics([TopicSpec(old, partitions=2)]) == (old,)

    again = admin.create_topics([TopicSpec(old, partitions=5), TopicSpec(new, partitions=1)])

    assert again == (new,)
    assert admin.describe_topics([old])[old].partitions == 2


def test_descriptions_tell_shape_and_settings_of_those_that_exist(bench: Bench) -> None:
    compacted, plain = bench.name("compacted"), bench.name("plain")
    admin = bench.broker.admin()
    admin.create_topics(
        [
            TopicSpec(
                compacted,
                partitions=3,
                config={"cleanup.policy": "compact", "max.message.bytes": "2000000"},
            ),
            TopicSpec(plain, partitions=1),
        ]
    )

    found = admin.describe_topics([compacted, plain, bench.name("missing")])

    assert set(found) == {compacted, plain}
    assert (found[compacted].partitions, found[compacted].replication) == (3, 1)
    assert (found[compacted].compacted, found[plain].compacted) == (True, False)
    assert found[compacted].max_message_bytes == 2_000_000
    assert found[plain].max_message_bytes == 1_048_588


def test_a_new_topic_can_be_used_at_once(bench: Bench) -> None:
    topic = bench.topic(partitions=8)
    bench.send(topic, b"value", partition=7)

    assert bench.take(bench.reader(topic), 1)[0].partition == 7


def test_no_names_describe_nothing(bench: Bench) -> None:
    assert bench.broker.admin().describe_topics([]) == {}
    assert bench.broker.admin().create_topics([]) == ()


def test_a_topic_needs_partitions(bench: Bench) -> None:
    name = bench.name("empty")
    with pytest.raises(TopicsInvalid, match=name):
        bench.broker.admin().create_topics([TopicSpec(name, partitions=0)])


def test_the_id_is_the_clusters_not_the_clients(bench: Bench) -> None:
    assert bench.broker.admin().cluster_id() == bench.admin.cluster_id() != ""
