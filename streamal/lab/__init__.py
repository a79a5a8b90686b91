"""`streamal backtest`: which strategy, policy and learner gives most for a label, on recorded data.

The gate, the learners and the estimation are those of production; only the log between them is
left out. May import everything below the command line except the demo.
"""

from streamal.lab.experiment import Experiment, Reviewers, Setup
from streamal.lab.grid import run_experiment
from streamal.lab.report import report
from streamal.lab.result import Results, Run
from streamal.lab.source import Recording

__all__ = [
    "Experiment",
    "Recording",
    "Results",
    "Reviewers",
    "Run",
    "Setup",
    "report",
    "run_experiment",
]
