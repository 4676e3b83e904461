"""What an action is and declares: consequence, dry run, undo, idempotency, legal choices; it decides and runs nothing."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args, overload

from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.tools.base import create_schema_from_function
from pydantic import BaseModel, ConfigDict, TypeAdapter

from .comparison import Comparison, annotated, checked, marked, word_of
from .deadline import within
from .declarable import check_calls, check_secret, secret_paths

Consequence = Literal["read", "reversible", "costly", "irreversible"]
"""`read` changes nothing; `reversible` can be undone; `costly` costs money or goodwill; `irreversible` cannot be taken back."""

CONSEQUENCES: tuple[str, ...] = get_args(Consequence)

LOOK_SECONDS = 10.0
"""How long a dry run or a choices function may take; after that a person decides without it."""

TOOL_SECONDS = 60.0
"""How long a tool may take that declares no `timeout` of its own."""


class ActionRefused(Exception):
    """Raised by a tool or its dry run when the action cannot be done and has changed nothing; the text goes back to the agent."""


class OutcomeUnknown(Exception):
    """Raised by a tool that cannot tell whether its effect happened; a person is asked to find out."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a tool may know about the case at hand; the requester comes from the thread's row, never from the model."""

    tenant: str
    thread: str
    requester: str
    text: str = ""
    """The requester's latest message (untrusted)."""
    action_id: str | None = None
    idempotency_key: str | None = None
    """The same for every attempt at one action; set for tools declared idempotent."""
    now: float | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a tool says about itself."""

    consequence: Consequence
    idempotent: bool = False
    title: str = ""
    dry_run: Callable[..., Any] | None = None
    undo: Callable[..., Any] | None = None
    choices: Callable[..., Any] | None = None
    timeout: float | None = TOOL_SECONDS
    """Seconds the tool may take; None: as long as it likes."""
    retries: int = 0
    """How often an idempotent tool is called again, under the same key, when nobody knows whether it acted."""
    secret: tuple[str, ...] = ()
    """The arguments that are hidden wherever they are shown, by path: `api_key`, `card.number`."""
    compare: Mapping[str, str] = field(default_factory=dict)
    """How arguments compare with others of the same action, by path; see `Comparison`."""
    version: str = ""
    """Stands for the tool's code in what a certificate holds for; empty: the code stands for itself."""
    extra: Mapping[str, Any] = field(default_factory=dict)


UNDECLARED = Declaration(consequence="irreversible")
"""A tool that declares nothing is taken to be irreversible."""

_case: ContextVar[Case | None] = ContextVar("assent_case", default=None)


def current_case() -> Case:
    """Return the case at hand; raises LookupError outside an action."""
    case = _case.get()
    if case is None:
        raise LookupError("no case at hand: this function runs only inside an action")
    return case


@contextmanager
def at_hand(case: Case) -> Iterator[None]:
    """Make `case` the one that tools, dry runs, undos and choices see."""
    token = _case.set(case)
    try:
        yield
    finally:
        _case.reset(token)


class ActionTool(StructuredTool):
    """A LangChain tool that also says what it can do."""

    declaration: Declaration = UNDECLARED
    function: Callable[..., Any] | None = None
    """What it was made of."""
    model_config = ConfigDict(arbitrary_types_allowed=True)


def declaration_of(tool: BaseTool) -> Declaration:
    """Return what a tool declares; a plain LangChain tool counts as irreversible."""
    return tool.declaration if isinstance(tool, ActionTool) else UNDECLARED


def schema_of(tool: BaseTool) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments, as forms and digests use it, with how they compare under `x-compare`.

    Models are shown it without the latter: see `comparison.unmarked`.
    """
    schema, model = tool.tool_call_schema, tool.args_schema
    plain = dict(schema if isinstance(schema, dict) else TypeAdapter(schema).json_schema())
    fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
    of_fields = {name: word for name, one in fields.items() if name in plain.get("properties", {}) and (word := word_of(one))}
    return marked(plain, {**of_fields, **declaration_of(tool).compare})


def schema_digest(tool: BaseTool) -> str:
    """Return the SHA-256 (hex) over a tool's name, declared consequence and argument schema."""
    declared = declaration_of(tool)
    parts = [tool.name, declared.consequence, declared.idempotent, schema_of(tool)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _case_parameter(function: Callable[..., Any]) -> str | None:
    """Return the name of the parameter annotated `Case`, if there is one."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.annotation in (Case, "Case", "assent.Case"):
            return parameter.name
    return None


async def call_declared(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call a dry run, undo or choices function, sync or async, injecting the case where it asks for one."""
    name = _case_parameter(function)
    if name is not None:
        arguments[name] = current_case()
    result = function(**arguments)
    return await result if inspect.isawaitable(result) else result


async def legal_choices(tool: BaseTool, case: Case) -> list[dict[str, Any]] | None:
    """Return the legal argument combinations of `tool` in this case; None when the case does not limit them.

    Raises TooSlow after LOOK_SECONDS; what is not async cannot be interrupted.
    """
    declared = declaration_of(tool)
    if declared.choices is None:
        return None
    with at_hand(case):
        found = await within(LOOK_SECONDS, call_declared(declared.choices))
    return None if found is None else [dict(choice) for choice in found]


async def dry_run(tool: BaseTool, arguments: Mapping[str, Any], case: Case) -> str | None:
    """Ask a tool whether these validated arguments would work; returns its evidence, raises ActionRefused if they would not.

    Raises TooSlow after LOOK_SECONDS; what is not async cannot be interrupted.
    """
    declared = declaration_of(tool)
    if declared.dry_run is None:
        return None
    with at_hand(case):
        found = await within(LOOK_SECONDS, call_declared(declared.dry_run, **typed(tool, arguments)))
    return None if found is None else str(found)


def typed(tool: BaseTool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Turn plain JSON arguments into the typed values that the tool's own function takes; raises pydantic.ValidationError."""
    schema = tool.args_schema
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return dict(arguments)
    parsed = schema.model_validate(dict(arguments))
    return {name: getattr(parsed, name) for name in schema.model_fields}


def plain(tool: BaseTool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the canonical plain-JSON arguments, defaults filled in: what is shown, hashed and run.

    Raises pydantic.ValidationError.
    """
    schema = tool.args_schema
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return dict(arguments)
    dumped: dict[str, Any] = schema.model_validate(dict(arguments)).model_dump(mode="json")
    return dumped


def _arguments_schema(function: Callable[..., Any], name: str, without: str | None) -> type[BaseModel]:
    schema = create_schema_from_function(name, function, filter_args=[without] if without else [])
    return type(name, (schema,), {"model_config": ConfigDict(extra="forbid"), "__doc__": schema.__doc__})


@overload
def action(function: Callable[..., Awaitable[Any]], /) -> ActionTool: ...


@overload
def action(
    *,
    consequence: Consequence,
    idempotent: bool = False,
    title: str = "",
    dry_run: Callable[..., Any] | None = None,
    undo: Callable[..., Any] | None = None,
    choices: Callable[..., Any] | None = None,
    timeout: float | None = TOOL_SECONDS,
    retries: int = 0,
    secret: Sequence[str] = (),
    compare: Mapping[str, Comparison] | None = None,
    version: str = "",
) -> Callable[[Callable[..., Awaitable[Any]]], ActionTool]: ...


def action(
    function: Callable[..., Awaitable[Any]] | None = None,
    /,
    *,
    consequence: Consequence = "irreversible",
    idempotent: bool = False,
    title: str = "",
    dry_run: Callable[..., Any] | None = None,
    undo: Callable[..., Any] | None = None,
    choices: Callable[..., Any] | None = None,
    timeout: float | None = TOOL_SECONDS,
    retries: int = 0,
    secret: Sequence[str] = (),
    compare: Mapping[str, Comparison] | None = None,
    version: str = "",
) -> ActionTool | Callable[[Callable[..., Awaitable[Any]]], ActionTool]:
    """Turn an async function into an action: a LangChain tool that also declares what it can do.

    Args:
        function: an async function; its docstring is the description that models and people read.
        consequence: `read`, `reversible`, `costly` or `irreversible`; undeclared means irreversible.
        idempotent: running it twice with the same `Case.idempotency_key` has one effect.
        title: how people call it; default is the name in words.
        dry_run: same arguments; returns evidence as text, raises ActionRefused if the action would fail.
        undo: same arguments; takes the effect back.
        choices: returns the legal argument combinations of the case, or None.
        timeout: seconds the tool may take, None for no deadline; what a tool with effects did that came too late is unknown.
        retries: how often it is called again under the same key when nobody knows whether it acted; for idempotent tools only.
        secret: names of arguments, also `card.number`, that are masked wherever they are shown, and approved and run as they are.
        compare: which differences of an argument matter, `{"note": "text", "items": "set", "lines.remark": "cosmetic"}`; without a
            word of its own an argument compares exactly. It is part of the schema: changing it changes the schema's digest.
        version: stands for the code of it, its dry run, choices and undo, so that only raising it voids certificates.
    """
    if consequence not in CONSEQUENCES:
        raise ValueError(f"consequence must be one of {', '.join(CONSEQUENCES)}, not {consequence!r}")
    check_calls(timeout, retries, idempotent=idempotent)
    declared = Declaration(
        consequence, idempotent, title, dry_run, undo, choices, timeout, retries, secret_paths(secret), version=version
    )

    def declare(target: Callable[..., Awaitable[Any]]) -> ActionTool:
        return _tool_of(target, declared, compare or {})

    return declare if function is None else declare(function)


def _tool_of(target: Callable[..., Awaitable[Any]], declared: Declaration, compare: Mapping[str, Comparison]) -> ActionTool:
    """Return the tool of an async function; raises TypeError for one that cannot be an action."""
    if not inspect.iscoroutinefunction(target):
        raise TypeError(f"an action is an async function: write 'async def {getattr(target, '__name__', target)}'")
    name, description = target.__name__, inspect.getdoc(target)
    if not description:
        raise TypeError(f"the action {name!r} needs a docstring: people and models read it")
    taken = sorted({"args", "kwargs"} & set(inspect.signature(target).parameters))
    if taken:
        raise TypeError(f"the action {name!r} cannot have a parameter named {taken[0]!r}; rename it")
    check_secret(declared.secret, target)
    case_name = _case_parameter(target)

    async def run(**arguments: Any) -> Any:
        if case_name is not None:
            arguments[case_name] = current_case()
        return await target(**arguments)

    made = ActionTool(
        name=name,
        description=description,
        coroutine=run,
        function=target,
        args_schema=_arguments_schema(target, name, case_name),
        declaration=replace(declared, title=declared.title or name.replace("_", " "), compare={**annotated(target), **compare}),
    )
    checked(schema_of(made))
    return made
