"""How a policy file writes terms: the fields of `Terms`, with times in seconds or as text such as `30m`, `4h` or `2d`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from .terms import LARGEST_QUORUM, LONGEST, Decider, Terms

UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}

_TIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([smhd])", re.ASCII)


def _seconds(value: object) -> object:
    """Return the seconds of `30m`; anything else as it is, to be judged as a number."""
    if isinstance(value, bool):
        return str(value)  # true equals 1
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return float(found[1]) * UNITS[found[2]] if found else value


def _target(value: str) -> str:
    Terms(escalate_to=value)
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=LONGEST, allow_inf_nan=False)]


class TermsEntry(BaseModel):
    """Terms as they are written; what is left out does not make anything stricter."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    quorum: Annotated[int, Field(ge=1, le=LARGEST_QUORUM)] = 1
    role: Decider = "operator"
    second_for_edits: bool = False
    due: Seconds | None = None
    warn: Seconds | None = None
    escalate: Seconds | None = None
    escalate_to: Annotated[str, AfterValidator(_target)] = "role:lead"
    valid: Seconds | None = None
    veto: Seconds | None = None
    undo: Seconds | None = None

    def terms(self) -> Terms:
        """Return the terms."""
        return Terms(**self.model_dump())


def terms_problem(name: str, kind: str) -> str | None:
    """Say what is wrong with a field of terms; None where the general words say enough."""
    if name == "role" and kind == "literal_error":
        return "operator, lead, admin"
    if kind in ("float_type", "float_parsing"):
        return "seconds, or text such as 90s, 30m, 4h or 2d"
    return None
