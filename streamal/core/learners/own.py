"""A model from a factory of the user's own: imported, called, shown to be of use."""

from __future__ import annotations

import importlib
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streamal.core.chance import draw
from streamal.core.learners.parameters import KEY, Parameter, resolve
from streamal.core.learners.preprocess import AsIs, Encoding, FrontEnd, Preprocessor
from streamal.core.learners.shared_parameters import MAX_CATEGORIES, MAX_COLUMNS
from streamal.errors import SettingsInvalid

__all__ = ["LIMITS", "PREPROCESS", "OwnFactory", "derived_seed"]

#: Parameters of the front end rather than the model.
LIMITS = (MAX_CATEGORIES, MAX_COLUMNS)
PREPROCESS = Parameter(
    "preprocess",
    "boolean",
    False,
    "Whether the front end encodes and scales the features before the user's own model.",
)


def derived_seed(seed: int, purpose: str) -> int:
    """A seed of its own for each model, within the 32 bits that every library takes."""
    return int(draw(seed, "", purpose) * 2**31)


@dataclass(frozen=True, slots=True)
class OwnFactory:
    """A `package.module:factory`, and what its models get to see.

    Attributes:
        path: as in the settings.
        factory: the callable.
        arguments: its keyword arguments.
        front_end: what stands before its models.
    """

    path: str
    factory: Callable[..., object]
    arguments: Mapping[str, object]
    front_end: FrontEnd

    @classmethod
    def of(cls, path: str, parameters: Mapping[str, object], wanted: str) -> OwnFactory:
        """Import the factory and sort out its parameters from the front end's.

        Args:
            path: `package.module:factory`.
            parameters: JSON values by name.
            wanted: what the factory must return, for error lines.

        Raises:
            SettingsInvalid: it cannot be imported, or does not take these parameters.
        """
        factory = _imported(path, wanted)
        arguments = dict(parameters)
        front_end: FrontEnd = AsIs()
        if PREPROCESS.checked(arguments.pop(PREPROCESS.name, False)):
            names = [limit.name for limit in LIMITS]
            given = {name: arguments.pop(name) for name in names if name in arguments}
            limits: dict[str, Any] = resolve(path, LIMITS, given)
            front_end = Preprocessor(Encoding.DENSE, scale=True, **limits)
        _check_arguments(path, factory, arguments)
        return cls(path, factory, arguments, front_end)

    def made(self, problem: Callable[[object], str | None]) -> Any:  # noqa: ANN401  what `problem` lets pass
        """A fresh model.

        Args:
            problem: says what is wrong with what the factory returned; None when nothing is.

        Raises:
            SettingsInvalid: the factory fails, or its model cannot be used or stored.
        """
        try:
            model = self.factory(**self.arguments)
        except Exception as error:
            raise SettingsInvalid(
                f"{KEY}: {self.path} does not accept {dict(self.arguments)}: {_line(error)}"
            ) from error
        found = problem(model)
        if found is not None:
            raise SettingsInvalid(f"learner.name: {self.path!r} returned a {found}")
        try:
            pickle.dumps(model)
        except Exception as error:
            raise SettingsInvalid(
                f"learner.name: {self.path!r} returned a model that cannot be stored: "
                f"{_line(error)}"
            ) from error
        return model


def _imported(path: str, wanted: str) -> Callable[..., object]:
    module_name, _, attribute = path.partition(":")
    try:
        factory: object = importlib.import_module(module_name)
        for part in attribute.split("."):
            factory = getattr(factory, part)
    except Exception as error:
        raise SettingsInvalid(f"learner.name: cannot import {path!r}: {_line(error)}") from error
    if not callable(factory):
        raise SettingsInvalid(
            f"learner.name: {path!r} is a {type(factory).__name__}; it must be a callable that "
            f"returns a River {wanted} or pipeline"
        )
    return factory


def _check_arguments(
    path: str, factory: Callable[..., object], arguments: Mapping[str, object]
) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # a builtin that doesn't tell; calling it will
        return
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    problems = [
        f"{KEY}.{name}: {value!r} is for no parameter of {path}; it takes "
        + (", ".join(signature.parameters) or "none")
        for name, value in arguments.items()
        if name not in signature.parameters and not takes_any
    ]
    if problems:
        raise SettingsInvalid(*problems)


def _line(error: Exception) -> str:
    """The error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
