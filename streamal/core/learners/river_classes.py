"""River's classes without importing them: its packages bring SciPy, which few processes use.

`import river.linear_model` alone takes 90 MB and two thirds of a second, for `scipy.stats`. So a
package of River's is imported where one of its models is made; elsewhere its classes are looked up
here.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["if_imported"]


def if_imported(module: str, name: str) -> Any:  # noqa: ANN401 - River is untyped to mypy
    """The class `name` of a module of River's, for `isinstance`.

    An object can't be of a class whose module was never imported; an empty tuple says so.

    >>> isinstance(1, if_imported("river.never_imported", "Model"))
    False
    """
    return getattr(sys.modules.get(module), name, ())
