"""kafka-python computes checksums with compiled code, and says so when asked."""

from __future__ import annotations

import crc32c
import pytest
from kafka.record import default_records, util

from streamal.broker.kafka.checksums import checksum_warnings


def test_the_compiled_checksum_is_the_one_that_kafka_python_has_bound() -> None:
    assert util.calc_crc32c.__defaults__ == (crc32c.crc32c,)
    assert default_records.calc_crc32c is util.calc_crc32c
    assert checksum_warnings() == []


def test_a_checksum_in_python_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util.calc_crc32c, "__defaults__", (util.crc32c_py,))
    (line,) = checksum_warnings()
    assert "crc32c is missing" in line
    assert "\n" not in line
