"""The audit chain as arithmetic: how a record is bound to the one before it; it reads and writes nothing.

A record's hash covers everything but the payload itself, which is bound by a salted digest, so that what was said can be erased and
the chain still verifies. A chain alone can be rewritten by whoever owns the database; a head signed and kept elsewhere cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical import digest_of

GENESIS = "0" * 64
"""What the first record points back to."""

FIELDS = ("tenant", "seq", "at", "kind", "actor", "subject", "body", "payload_digest", "previous")
"""What a record's hash covers, in this order; `at` is ISO 8601 in UTC with microseconds."""


def record_hash(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a record; raises NotCanonical, KeyError."""
    return digest_of("event", *(record[name] for name in FIELDS))


def payload_digest(salt: str, payload: Mapping[str, Any]) -> str:
    """Return the salted SHA-256 (hex) of a payload: without the salt nobody can try what was in it."""
    return digest_of("payload", salt, dict(payload))
