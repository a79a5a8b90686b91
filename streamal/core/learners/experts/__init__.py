"""The learner `default`: small models on shared vectors, weighed by how well each predicts lately.

River's models take one dict each. Here items become a table once, all experts compute on it with
numpy, and some see columns that a River model on its own cannot have: how far the item is off
the level of the latest labelled ones.
"""

from streamal.core.learners.experts.expert import Expert
from streamal.core.learners.experts.gaussian import GaussianBayes
from streamal.core.learners.experts.logistic import BayesianLogistic, StochasticLogistic
from streamal.core.learners.experts.mixture import ExpertMixture
from streamal.core.learners.experts.neighbours import Neighbours

__all__ = [
    "BayesianLogistic",
    "Expert",
    "ExpertMixture",
    "GaussianBayes",
    "Neighbours",
    "StochasticLogistic",
]
