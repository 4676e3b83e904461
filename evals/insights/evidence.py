"""The evidence that a lead is shown before signing, frozen: one value, one digest, and the sentences that were read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...graph.canonical import digest_of
from ...graph.store.autonomy_models import AutonomyRow
from . import sentences
from .shapes import Promise, Risk, Watch


def frozen(
    row: AutonomyRow, offered: Promise | None, signed: Promise | None, watch: Watch, risk: Risk
) -> tuple[dict[str, Any], str]:
    """Return what a signature stands on and its digest; a change of any of it makes a signature that was prepared stale."""
    evidence: dict[str, Any] = {
        "agent": row.agent,
        "tool": row.tool,
        "level": row.level,
        "version": row.version,
        "suspended": row.suspended,
        "offered": _certificate(offered),
        "signed": _certificate(signed),
        "monitor": {"audits": watch.audits, "errors": watch.errors, "alarmed": watch.alarmed, "evidence": _rounded(watch.evidence)},
        "risk": _rounded(risk.value),
        "sentences": _sentences(watch, risk),
    }
    return evidence, digest_of("evidence", evidence)


def _certificate(promise: Promise | None) -> dict[str, Any] | None:
    return None if promise is None else {name: _rounded(value) for name, value in asdict(promise).items() if name != "status"}


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


def _sentences(watch: Watch, risk: Risk) -> list[str]:
    return [text for text in (risk.sentence, *risk.assumptions, sentences.watched(watch)) if text]
