"""Random walks of the state machine of `tests/graph/test_machine.py`, on either database."""

from __future__ import annotations

import sys
from pathlib import Path

from oracle import Found


def walk(database: str, examples: int, seed: int) -> Found:
    """Walk so many times from a seed; a walk that breaks an invariant is told as it broke it."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "graph"))
    from hypothesis import seed as seeded
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test
    from test_machine import MACHINES

    machine = MACHINES[database]
    few = settings(machine.TestCase.settings, max_examples=examples, database=None)
    found = Found()
    try:
        run_state_machine_as_test(seeded(seed)(machine), settings=few)
    except AssertionError as error:
        words = str(error)
        kind = found.twice if "twice" in words else found.without if "without" in words else found.lost
        kind.append(words[:300])
    return found
