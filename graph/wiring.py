"""What the nodes of a gate work with: tools, policy, model and ledger, put together once; it decides nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.tools import BaseTool

from .authority.ledger import Ledger
from .clock import Clock
from .confidence import Signal
from .memory import Memory
from .proposing import Proposer, Step
from .rules.policy import Policy


class Steps:
    """The steps behind the latest proposals, by action id; after a restart they are gone, and what was gated is reviewed."""

    def __init__(self, keep: int = 512) -> None:
        self._keep = keep
        self._steps: OrderedDict[str, Step] = OrderedDict()

    def put(self, action: str, step: Step) -> None:
        """Keep the step that led to an action."""
        self._steps[action] = step
        while len(self._steps) > self._keep:
            self._steps.popitem(last=False)

    def get(self, action: str) -> Step | None:
        """Return the step that led to an action."""
        return self._steps.get(action)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the nodes of a gate work with."""

    agent: str
    tenant: str
    ledger: Ledger
    tools: Mapping[str, BaseTool]
    schemas: Mapping[str, dict[str, Any]]
    """Each tool's argument schema, worked out once."""
    digests: Mapping[str, str]
    """Each tool's schema digest, worked out once."""
    codes: Mapping[str, str]
    """Each tool's code digest, worked out once."""
    policy: Policy
    clock: Clock
    propose: Proposer | None = None
    instructions: str = ""
    memory: Memory | None = None
    may_finish: bool = True
    actions_per_turn: int | None = None
    """After so many done actions the turn ends without asking the model; None: the model says when it is done."""
    attempts: int = 3
    """How often the agent may try again in a turn after it was turned down."""
    signals: Sequence[Signal] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    """The parts of a key that all tools have in common, but for the policy."""
    steps: Steps = field(default_factory=Steps)

    def provenance_of(self, tool: str) -> dict[str, str]:
        """Return what stands on the row of an action, and together makes up the key of its class."""
        return {**self.provenance, "policy": self.policy.digest, "code": self.codes.get(tool, "")}
