"""The key of a class of actions: what a certificate was earned with; when any of it changes, the certificate is void."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..canonical import digest_of


@dataclass(frozen=True, slots=True)
class Key:
    """Everything that has to stay as it was for what is known of a class to hold; what is not a name is a digest."""

    agent: str
    tool: str
    model: str
    """Its name."""
    prompt: str
    """Of the instructions, the playbook, and which and how many past cases are shown; not of those cases, which grow by design."""
    policy: str
    schema: str
    """Of the tool's name, consequence and arguments."""
    signals: str = ""
    """Of what is measured, and how."""
    build: str = ""
    """What tells the model from another one of the same name, as the developer states it."""
    sampling: str = ""
    """Of how the model is asked: its settings, its address, what is bound to it, and the way of proposing."""
    offers: str = ""
    """Of what the model may choose from: names, descriptions and arguments of all tools."""
    code: str = ""
    """Of the version of the tool that is declared, else of its code and that of its dry run, choices and undo."""

    def digest(self) -> str:
        """Return the key as SHA-256 (hex)."""
        return digest_of("certificate key", self.as_json())

    def as_json(self) -> dict[str, str]:
        """Return the parts, as a certificate keeps them."""
        return asdict(self)

    @property
    def unnamed(self) -> str:
        """What has to be named before anything can be certified, since a change of it would not be noticed; empty for nothing."""
        wanted = [UNNAMED[name] for name in UNNAMED if not getattr(self, name)]
        return " ".join(wanted)

    def changed_since(self, parts: Mapping[str, Any]) -> list[str]:
        """Return the names of the parts that are not as they were; what was not kept then counts as not there."""
        return [name for name, value in self.as_json().items() if parts.get(name, "") != value]


IN_WORDS = {
    "agent": "the agent",
    "tool": "the tool",
    "model": "the model",
    "prompt": "the prompt",
    "policy": "the policy",
    "schema": "the tool's schema",
    "signals": "what is measured",
    "build": "the build of the model",
    "sampling": "how the model is asked",
    "offers": "the tools it may choose from, or their descriptions",
    "code": "the tool's code or version",
}
"""The parts, as people read them."""

UNNAMED = {
    "model": "The model has no name here, so another one would not void the certificate; give the agent or gate a `model_name`.",
    "prompt": "The prompt is not known here, so another one would not void the certificate; give the gate a `prompt`.",
}
"""What to do about a part that has to be named."""


def in_words(parts: Iterable[str]) -> str:
    """Return names of parts as people read them, in one line."""
    return ", ".join(IN_WORDS.get(name, name) for name in parts)


_STORED = ("model", "prompt", "policy", "signals", "build", "sampling", "offers", "code")


def key_of(agent: str, tool: str, schema: str, provenance: Mapping[str, Any]) -> Key:
    """Return the key of an action from what is on its row."""
    return Key(agent, tool, schema=schema, **{name: str(provenance.get(name, "")) for name in _STORED})
