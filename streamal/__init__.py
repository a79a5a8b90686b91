"""streamal: stream-based selective sampling on Kafka.

Reads every prediction that production publishes, decides item by item whether a human should look,
learns online from the labels that come back, and reports how well production is doing.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
