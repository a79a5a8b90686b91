"""The decision-making core: pure functions and state machines, no input or output.

Time enters as a value, randomness as a hash of the event. May import numpy and (learners, drift
detectors) river; nothing of streamal but itself and `streamal.errors`.
"""
