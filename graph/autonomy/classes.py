"""The key of a class of actions: what a certificate was earned with; when any of it changes, the certificate is void."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..canonical import digest_of


@dataclass(frozen=True, slots=True)
class Key:
    """Everything that has to stay as it was for what is known of a class to hold."""

    agent: str
    tool: str
    model: str
    prompt: str
    """The digest of the instructions."""
    policy: str
    """The digest of the policy."""
    schema: str
    """The digest of the tool's name, consequence and arguments."""
    signals: str = ""
    """The digest of what is measured, and how."""

    def digest(self) -> str:
        """Return the key as SHA-256 (hex)."""
        return digest_of("certificate key", self.agent, self.tool, self.model, self.prompt, self.policy, self.schema, self.signals)

    def as_json(self) -> dict[str, str]:
        """Return the parts, as a certificate keeps them."""
        return asdict(self)

    def changed_since(self, parts: Mapping[str, Any]) -> list[str]:
        """Return the names of the parts that are not as they were."""
        return [name for name, value in self.as_json().items() if parts.get(name) != value]


def key_of(agent: str, tool: str, schema: str, provenance: Mapping[str, Any]) -> Key:
    """Return the key of an action from what is on its row."""
    model, prompt, policy, signals = (str(provenance.get(name, "")) for name in ("model", "prompt", "policy", "signals"))
    return Key(agent, tool, model, prompt, policy, schema, signals)
