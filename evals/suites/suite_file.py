"""Loads a suite from a YAML or a Python file; a file with any mistake loads nothing, and says where it is wrong."""

from __future__ import annotations

import importlib.util
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...graph.errors import AssentError
from ...graph.rules.marked_yaml import Marked, YamlError, read_yaml
from .parts import Parts
from .sources import case_file
from .suite import Suite, SuiteError


class SuiteFileError(SuiteError):
    """The suite file cannot be used; nothing of it was loaded."""

    def __init__(self, file: str, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.file, self.line, self.column, self.problem = file, line, column, problem
        super().__init__(f"{':'.join(str(part) for part in (file, line, column) if part is not None)}: {problem}")


def _words(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('a condition is text in quotes, such as ">= 0.8" or "<= 0"')
    return value


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1)]
    data: Annotated[str, Field(min_length=1)]
    task: str
    scorers: Annotated[list[str], Field(min_length=1)]
    gate: dict[str, Annotated[str, BeforeValidator(_words)]] = {}


def find_suite(name: str | os.PathLike[str], parts: Parts) -> Suite:
    """Return a packaged suite by its name (`decisions`, `demo`) or one of yours by its path; raises SuiteFileError."""
    places = resources.files(__package__)
    packaged = sorted(place.name.removesuffix(".yaml") for place in places.iterdir() if place.name.endswith(".yaml"))
    if str(name) in packaged:
        return parse_suite(places.joinpath(f"{name}.yaml").read_bytes(), parts, file=f"{name}.yaml")
    if Path(name).suffix in (".yaml", ".yml", ".py"):
        return load_suite(name, parts)
    known = ", ".join(packaged)
    raise SuiteError(f"There is no suite {str(name)!r}; name one of {known}, or give the path of a .yaml or .py file.")


def load_suite(path: str | os.PathLike[str], parts: Parts) -> Suite:
    """Return the suite of a YAML file, or of a Python file that defines `suite`; raises SuiteFileError."""
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SuiteFileError(str(file), error.strerror or "cannot be read") from None
    if file.suffix == ".py":
        return _python(file, parts)
    return parse_suite(content, parts, file=str(file), folder=file.parent)


def parse_suite(content: bytes, parts: Parts, *, file: str = "suite.yaml", folder: Path = Path()) -> Suite:
    """Return the suite that YAML describes; paths in it are relative to `folder`. Raises SuiteFileError."""
    try:
        marked = read_yaml(content)
    except YamlError as error:
        raise SuiteFileError(file, error.problem, error.line, error.column) from None
    try:
        described = _File.model_validate(marked.value)
    except ValidationError as error:
        raise _located(file, marked, error) from None

    def known(kind: str, name: str, offered: Mapping[str, Any], *path: str | int) -> Any:
        if name in offered:
            return offered[name]
        mark = marked.mark((kind, *path))
        names = ", ".join(sorted(offered)) or "none: this needs an agent with a model"
        raise SuiteFileError(file, f"unknown {kind} {name!r}; known are {names}", mark.line, mark.column)

    is_file = described.data.endswith(".jsonl")
    data = case_file(folder / described.data) if is_file else known("data", described.data, parts.data)
    task = known("task", described.task, parts.tasks)
    scorers = [known("scorers", name, parts.scorers, index) for index, name in enumerate(described.scorers)]
    return _gated(file, marked, Suite(described.name, data, task, scorers), described.gate)


def _gated(file: str, marked: Marked, suite: Suite, gate: Mapping[str, str]) -> Suite:
    """Return the suite with its gate, adding one condition after the other to know which of them is wrong."""
    for name, text in gate.items():
        try:
            suite = replace(suite, gate={**suite.gate, name: text})
        except AssentError as error:
            mark = marked.mark(("gate", name))
            raise SuiteFileError(file, str(error), mark.line, mark.column) from None
    return suite


def _located(file: str, marked: Marked, error: ValidationError) -> SuiteFileError:
    first = error.errors(include_url=False, include_input=False)[0]
    path = tuple(part for part in first["loc"])
    mark = marked.mark(path, key=first["type"] == "extra_forbidden")
    where = ".".join(str(part) for part in path)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key; the keys are {', '.join(_File.model_fields)}"
    return SuiteFileError(file, f"{where}: {message}" if where else message, mark.line, mark.column)


def _python(file: Path, parts: Parts) -> Suite:
    spec = importlib.util.spec_from_file_location(f"assent_suite_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise SuiteFileError(str(file), "this is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        found: Suite | Callable[[Parts], Suite] | None = getattr(module, "suite", None)
        suite = found(parts) if callable(found) else found
    except Exception as error:
        raise SuiteFileError(str(file), f"{type(error).__name__}: {error}", _line_in(file, error)) from error
    if not isinstance(suite, Suite):
        told = "define `suite`: a Suite, or a function that takes Parts and returns one"
        raise SuiteFileError(str(file), told)
    return suite


def _line_in(file: Path, error: Exception) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    return frames[-1].lineno if frames else None
