"""Reads scenarios, the packaged and a team's own; a file with any mistake loads nothing, and says in one line where it is wrong."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...graph.errors import AssentError
from ...graph.rules.marked_yaml import Marked, YamlError, read_yaml
from .settings import ActionClass, Change, Chosen, Costs, Person, Scenario

_FORM: TypeAdapter[Scenario] = TypeAdapter(Scenario)
_PARTS: dict[str, type[Any]] = {"classes": ActionClass, "changes": Change, "people": Person, "chosen": Chosen, "costs": Costs}


class ScenarioError(AssentError):
    """The scenario cannot be played."""


def names() -> list[str]:
    """Return the names of the packaged scenarios."""
    return sorted(place.name.removesuffix(".yaml") for place in _folder().iterdir() if place.name.endswith(".yaml"))


def text_of(name: str) -> str:
    """Return a packaged scenario as its file says it."""
    return str(_folder().joinpath(f"{name}.yaml").read_text("utf-8"))


def scenario_of(name: str | os.PathLike[str]) -> Scenario:
    """Return a packaged scenario by its name, or one of yours by the path of its YAML file; raises ScenarioError."""
    if str(name) in names():
        return parsed(text_of(str(name)).encode(), f"{name}.yaml")
    if Path(name).suffix not in (".yaml", ".yml"):
        known = ", ".join(names())
        raise ScenarioError(f"there is no scenario {str(name)!r}; name one of {known}, or give the path of a .yaml file")
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise ScenarioError(f"{name}: {error.strerror or 'cannot be read'}") from None
    return parsed(content, str(name))


def parsed(content: bytes, file: str = "scenario.yaml") -> Scenario:
    """Return the scenario that YAML describes; raises ScenarioError with the file, line and column of the first mistake."""
    try:
        marked = read_yaml(content)
    except YamlError as error:
        raise ScenarioError(_at(file, error.line, error.column, error.problem)) from None
    try:
        scenario = _FORM.validate_python(marked.value)
    except ValidationError as error:
        raise _located(file, marked, error) from None
    for part, called in (("classes", [one.tool for one in scenario.classes]), ("people", [one.name for one in scenario.people])):
        twice = [name for name, count in Counter(called).items() if count > 1]
        if twice:
            mark = marked.mark((part, len(called) - 1 - called[::-1].index(twice[0])))
            raise ScenarioError(_at(file, mark.line, mark.column, f"{part}: {twice[0]!r} is there twice"))
    return scenario


def checked(scenario: Scenario) -> Scenario:
    """Return a scenario that was put together in Python or by options, or raise ScenarioError if a value is out of its bounds."""
    try:
        return _FORM.validate_python(_FORM.dump_python(scenario))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ScenarioError(f"{_path(first['loc'])}: {first['msg']}") from None


def _located(file: str, marked: Marked, error: ValidationError) -> ScenarioError:
    first = error.errors(include_url=False, include_input=False)[0]
    path, unknown = first["loc"], first["type"] == "unexpected_keyword_argument"
    mark = marked.mark(path, key=unknown)
    problem = f"unknown key; the keys are {', '.join(_keys(path[:-1]))}" if unknown else first["msg"]
    if first["type"] == "dataclass_type":
        problem = f"this is a mapping of {', '.join(_keys(path))}"
    return ScenarioError(_at(file, mark.line, mark.column, f"{_path(path)}: {problem}" if path else problem))


def _keys(path: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the part of a scenario that a path leads to."""
    words = [part for part in path if isinstance(part, str)]
    return [one.name for one in fields(_PARTS.get(words[-1], Scenario) if words else Scenario)]


def _path(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path)


def _at(file: str, line: int | None, column: int | None, problem: str) -> str:
    return f"{':'.join(str(part) for part in (file, line, column) if part is not None)}: {problem}"


def _folder() -> Any:
    return resources.files(__package__).joinpath("scenarios")
