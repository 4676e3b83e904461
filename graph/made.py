"""What a model, a proposer, a signal or an embedder was made with, as plain data; never a secret, a local address or a resource.

What is of one's own to describe says so itself, in an attribute `made_with`: plain data, and models. Of anything else this tells:

* a chat model, bound or not: each setting that is not its class's default, so that a new version with new defaults changes nothing;
* a function: the numbers, texts, functions and models that it closes over, and its source unless it is Assent's own. Lists and
  mappings in there are left out: they may fill while the program runs;
* a frozen dataclass: its fields. Any other object: its class.

Left out are secrets everywhere, and of models and ways of proposing the settings that change how long or by which way an answer
comes, not which.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re
import types
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from langchain_core.embeddings import Embeddings
from langchain_core.runnables import Runnable
from pydantic import BaseModel, SecretBytes, SecretStr

from .canonical import digest_of
from .source import function_of, is_own, source_of

_DEEPEST = 8
_SECRETS = frozenset({"key", "token", "secret", "password", "auth", "authorization", "cookie", "credential", "credentials"})
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_IN_THE_WAY = frozenset(
    [
        *("timeout", "timeout_seconds", "request_timeout", "max_retries", "rate_limiter", "openai_proxy", "cache"),
        *("streaming", "disable_streaming", "stream_usage", "include_response_headers", "store", "service_tier"),
        *("verbose", "callbacks", "tags", "metadata", "name", "openai_organization", "config", "config_factories"),
    ]
)
"""Settings that change how long or by which way an answer comes, and who pays, not which it is."""
_SENT_ALONG = ("kwargs", "model_kwargs", "extra_body", "further")
"""The settings that hold such settings: of a bound model, of a client, and of a way of proposing."""


def is_secret(name: str, value: Any) -> bool:
    """Tell whether a value is a secret by its type, or a text that is one by the last word of its name, as in `api_key`."""
    if isinstance(value, SecretStr | SecretBytes):
        return True
    words = _WORD.findall(name)
    return isinstance(value, str | bytes) and bool(words) and words[-1].lower() in _SECRETS


def made(value: Any, depth: int = 0) -> Any:
    """Return plain data that is the same in every process for what was made in the same way."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | complex | bytes):
        return int(value) if isinstance(value, float) and value.is_integer() else repr(value)
    if isinstance(value, str):
        return _without_place(value)
    if depth > _DEEPEST or isinstance(value, SecretStr | SecretBytes):
        return type(value).__name__
    return _made(value, functools.partial(made, depth=depth + 1))


def _made(value: Any, inner: Callable[[Any], Any]) -> Any:
    match value:
        case list() | tuple():
            return [inner(item) for item in value]
        case set() | frozenset():
            return {"set": sorted(digest_of(inner(item)) for item in value)}
        case Mapping():
            return _kept(value, inner)
        case types.MethodType():
            return {"method": inner(value.__func__), "of": inner(value.__self__)}
        case functools.partial():
            return {
                "partial": inner(value.func),
                "args": inner(value.args),
                "keywords": _kept(_answering(value.func, value.keywords), inner),
            }
    stated = getattr(value, "made_with", None)
    told = {"type": _name(value), **_code(value)}
    if isinstance(stated, Mapping):
        return {**told, "made": _kept(stated, inner)}
    return {**told, "made": _kept(_answering(value, _held(value)), inner)}


def held_by(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function closes over, by name."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: _content(cell) for name, cell in cells}


def _held(value: Any) -> dict[str, Any]:
    """Return what a function closes over, or what an object of settings holds, as far as it cannot change."""
    if isinstance(value, types.FunctionType):
        return {name: one for name, one in held_by(value).items() if not isinstance(one, list | set | dict)}
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        held = {name: getattr(value, name) for name, field in fields.items() if not field.exclude}
        return {name: one for name, one in held.items() if not _is_default(value, name, one)}
    if not isinstance(value, type) and dataclasses.is_dataclass(value) and getattr(type(value), "__dataclass_params__").frozen:  # noqa: B009
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {}


def _is_default(model: BaseModel, name: str, value: Any) -> bool:
    field = type(model).model_fields[name]
    if field.default_factory is not None and name not in model.model_fields_set and not isinstance(value, list | set | dict):
        return True  # an id, say, that differs each time
    if field.is_required() or field.default_factory_takes_validated_data:
        return False
    return bool(field.get_default(call_default_factory=True) == value)


def _answering(value: Any, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of a model or of Assent's own without those that change no answer, and without them in what is sent along.

    Only there: deeper, as in the name of a tool that a model is bound to, and in code of yours the same name may say what counts.
    """
    function = function_of(value)
    if not isinstance(value, Runnable | Embeddings) and (function is None or not is_own(function)):
        return dict(held)
    sent = {name: one for name, one in held.items() if name in _SENT_ALONG and isinstance(one, Mapping)}
    settings = _without({**held, **{name: _without(one) for name, one in sent.items()}})
    config = held.get("config")
    return (
        {**settings, "configurable": config["configurable"]} if isinstance(config, dict) and "configurable" in config else settings
    )


def _without(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in settings.items() if name not in _IN_THE_WAY}


def _kept(values: Mapping[Any, Any], inner: Callable[[Any], Any]) -> dict[str, Any]:
    """Return named values without secrets."""
    return {str(name): inner(value) for name, value in values.items() if not is_secret(str(name), value)}


def _code(value: Any) -> dict[str, str]:
    """Return the source of a function of yours, or of what makes an object of yours one."""
    function = function_of(value)
    return {} if function is None or is_own(function) or isinstance(value, BaseModel) else {"source": source_of(function)}


def _without_place(text: str) -> str:
    """Return a text; of an address without user, query and, on this machine or a private network, without where it is."""
    if not text.startswith(("http://", "https://")):
        return text
    parts = urlsplit(text)
    host = parts.hostname or ""
    return "local" if _is_near(host) else f"{parts.scheme}://{host}:{_port(parts)}{parts.path.rstrip('/')}"


def _port(parts: SplitResult) -> str:
    try:
        return str(parts.port or "")
    except ValueError:  # no number
        return ""


def _is_near(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _name(value: Any) -> str:
    named = value if isinstance(value, types.FunctionType | type) else type(value)
    return f"{named.__module__}.{named.__qualname__}"
