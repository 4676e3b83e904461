"""Turns what the desk returns into plain JSON and its errors into status, word and sentence; refuses to show a traceback."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from ..graph import errors
from .errors import BadThreadName, ClassChanged, NotSignedIn, UnknownClass, UnknownRequester

_STATUS: tuple[tuple[str, int, str], ...] = (
    ("AlreadyDecided", 409, "already_decided"),
    ("StaleDigest", 409, "stale_digest"),
    ("Superseded", 409, "superseded"),
    ("Expired", 409, "expired"),
    ("HeldByAnother", 409, "held"),
    ("EnoughToday", 429, "enough_today"),
    ("AlreadyApproved", 409, "already_approved"),
    ("TooLate", 409, "too_late"),
    ("NotAllowed", 403, "not_allowed"),
    ("Locked", 429, "locked"),
    ("InvalidEdit", 422, "invalid_edit"),
    ("TooMany", 429, "too_many"),
    ("StoreError", 503, "try_again"),
    ("UnknownReview", 404, "unknown_review"),
    ("UnknownThread", 404, "unknown_thread"),
)


def as_json(value: Any) -> Any:
    """Return plain JSON of a value the desk returned."""
    if hasattr(value, "as_json"):
        return to_jsonable_python(value.as_json())
    if is_dataclass(value) and not isinstance(value, type):
        return to_jsonable_python(asdict(value))
    return to_jsonable_python(value)


def card_json(card: Any) -> dict[str, Any]:
    """Return a card with each argument as the text a person reads: exact, also where JavaScript would round or fold it."""
    body: dict[str, Any] = as_json(card)
    body["shown"] = {name: shown(value) for name, value in body["args"].items()}
    proposed = body["proposed"]
    body["proposed_shown"] = None if proposed is None else {name: shown(value) for name, value in proposed.items()}
    return body


def shown(value: Any) -> dict[str, str]:
    """Return a value as text: a string as it is, everything else as JSON."""
    if isinstance(value, str):
        return {"kind": "text", "text": value}
    return {"kind": "json", "text": json.dumps(value, ensure_ascii=False, indent=2)}


def error_body(error: Exception) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body `{error, message, ...}` for an error of the desk or of a request."""
    if isinstance(error, ValidationError):
        return 422, {"error": "invalid_request", "message": _first_problem(error)}
    status, word = _status_of(error)
    body: dict[str, Any] = {"error": word, "message": str(error)}
    for name in ("by", "decision", "problems"):
        if (found := getattr(error, name, None)) is not None:
            body[name] = as_json(found)
    if isinstance(at := getattr(error, "at", None), datetime):
        body["at"] = at.isoformat()
    if isinstance(error, ClassChanged):
        body |= {"changed": error.changed, "class": error.insight}
    if (current := getattr(error, "current", None)) is not None:
        body["card"] = current
    return status, body


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, NotSignedIn):
        return 401, "not_signed_in"
    if isinstance(error, UnknownRequester | BadThreadName):
        return 422, "invalid_request"
    if isinstance(error, UnknownClass):
        return 404, "unknown_class"
    if isinstance(error, ClassChanged):
        return 409, "stale_evidence"
    for name, status, word in _STATUS:
        kind = getattr(errors, name, None)
        if kind is not None and isinstance(error, kind):
            return status, word
    return 409, "refused"


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "request"
    return f"{where}: {problem['msg']}"
