"""The processes of streamal: gate and trainer, each a `start`, a `step` and a `close`.

A role handles one batch per step and commits it whole or not at all; `loop` repeats steps until it
is asked to stop. Roles talk to one another through topics only, so that one process or ten run the
same code.
"""
