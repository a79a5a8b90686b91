"""`streamal demo`: the whole loop in one process, on an embedded broker, with nothing to set up.

May import everything below the command line.
"""

from streamal.demo.result import DemoResult
from streamal.demo.show import DemoOptions, run_demo

__all__ = ["DemoOptions", "DemoResult", "run_demo"]
