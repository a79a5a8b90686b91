"""What several people's answers amount to: consensus, agreement, noise, and a guard.

Pure functions of the answers: no input or output, nothing remembered but what is handed in. A vote
is one annotator's standing answer for one item; a *panel* is an item with the answers of all who
looked at it.
"""

from streamal.core.annotation.agreement import (
    Agreement,
    annotator_noise,
    cohen_kappa,
    krippendorff_alpha,
    mean_kappas,
    pairwise,
    verdict_noise,
)
from streamal.core.annotation.collapse import CollapseDetector
from streamal.core.annotation.consensus import (
    Answer,
    Outcome,
    Vote,
    decided,
    median_outcome,
    shares,
    weighted_posterior,
)
from streamal.core.annotation.dawid_skene import DawidSkene, Fit
from streamal.core.annotation.numbers import answer_spread, interval_alpha, verdict_error

__all__ = [
    "Agreement",
    "Answer",
    "CollapseDetector",
    "DawidSkene",
    "Fit",
    "Outcome",
    "Vote",
    "annotator_noise",
    "answer_spread",
    "cohen_kappa",
    "decided",
    "interval_alpha",
    "krippendorff_alpha",
    "mean_kappas",
    "median_outcome",
    "pairwise",
    "shares",
    "verdict_error",
    "verdict_noise",
    "weighted_posterior",
]
