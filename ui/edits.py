"""Applies what a person changed in the form to the arguments shown; refuses to touch a field nobody changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..graph.errors import InvalidEdit


def edited(args: Mapping[str, Any], changes: Any, removed: Any) -> dict[str, Any]:
    """Return `args` with `changes` (field to JSON text, so that 1 and 1.0 stay apart) put in and `removed` taken out.

    Raises InvalidEdit.
    """
    if not isinstance(changes or {}, dict) or not isinstance(removed or [], list):
        raise InvalidEdit({"": "An edit names its changed fields."})
    kept = {name: value for name, value in args.items() if name not in set(map(str, removed or []))}
    problems: dict[str, str] = {}
    for name, text in (changes or {}).items():
        try:
            kept[name] = json.loads(text, parse_constant=_refused)
        except (TypeError, ValueError):
            problems[name] = "This is not valid JSON."
    if problems:
        raise InvalidEdit(problems)
    return kept


def _refused(name: str) -> Any:
    raise ValueError(name)
