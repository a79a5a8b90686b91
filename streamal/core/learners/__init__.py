"""Online learners: River classifiers behind a feature front end, alone or as a bagging committee.

`build_model` makes an `OnlineModel` from settings; the registered names are in `LEARNERS`. This
room and `core.drift` are the only ones of the core that may import river.
"""

from streamal.core.learners.base import Learner
from streamal.core.learners.committees import CommitteeKind
from streamal.core.learners.factory import build_learner
from streamal.core.learners.model import Model, Target
from streamal.core.learners.online import OnlineModel, build_model
from streamal.core.learners.parameters import Parameter
from streamal.core.learners.registry import LEARNERS, LearnerSpec
from streamal.core.learners.warm_start import LabelledRow, WarmStart, warm_start

__all__ = [
    "LEARNERS",
    "CommitteeKind",
    "LabelledRow",
    "Learner",
    "LearnerSpec",
    "Model",
    "OnlineModel",
    "Parameter",
    "Target",
    "WarmStart",
    "build_learner",
    "build_model",
    "warm_start",
]
