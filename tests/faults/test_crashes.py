"""A process is killed at every point where it hurts, on both databases, with both kinds of tool; a little of `make faults`."""

from __future__ import annotations

import pytest
from assent.graph.crashpoints import POINTS
from crashes import DOUBTFUL, UNDOING, crash_at, numbered
from processes import FORKED

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]


@pytest.mark.parametrize(("database", "idempotent"), [("sqlite", True), ("postgresql", False)])
def test_killed_at_every_point_nothing_is_lost_done_twice_or_done_without_assent(database, idempotent):
    found = crash_at(database, [numbered(point, index) for index, point in enumerate(POINTS)], idempotent=idempotent)
    assert found.clean, found
    assert found.unknown == len(UNDOING) if idempotent else found.unknown >= len(DOUBTFUL), (
        "a person is asked where nobody can know"
    )
