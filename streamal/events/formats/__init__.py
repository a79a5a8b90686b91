"""Adapters from production's wire formats to `Prediction`, so that production need not change."""

from streamal.events.formats.base import Envelope, Format, Outcome
from streamal.events.formats.flat import FlatFormat
from streamal.events.formats.mapping import FieldMapping

__all__ = ["Envelope", "FieldMapping", "FlatFormat", "Format", "Outcome"]
