"""Adapters from production's wire formats to `Prediction`, so that production need not change."""

from streamal.events.formats.base import Envelope, Format
from streamal.events.formats.flat import FieldMapping, FlatFormat

__all__ = ["Envelope", "FieldMapping", "FlatFormat", "Format"]
