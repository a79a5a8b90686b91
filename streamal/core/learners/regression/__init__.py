"""Online regression: River regressors behind the feature front end, alone or as a committee.

`build_regression_model` makes an `OnlineRegression` from settings; the registered names are in
`REGRESSORS`.
"""

from streamal.core.learners.regression.base import ValueLearner
from streamal.core.learners.regression.factory import build_regressor
from streamal.core.learners.regression.guarded import LARGEST_VALUE
from streamal.core.learners.regression.online import OnlineRegression, build_regression_model
from streamal.core.learners.regression.registry import REGRESSORS, RegressorSpec

__all__ = [
    "LARGEST_VALUE",
    "REGRESSORS",
    "OnlineRegression",
    "RegressorSpec",
    "ValueLearner",
    "build_regression_model",
    "build_regressor",
]
