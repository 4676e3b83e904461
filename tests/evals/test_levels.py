"""The ladder: up with a signature on exactly what was shown, down by itself or by a person, and every step on record."""

from __future__ import annotations

import pytest
from assent.evals.evidence import evidence_of
from assent.evals.labels import labels_of
from assent.evals.levels import demote, promote
from assent.graph.autonomy.levels import Level
from assent.graph.errors import NotAllowed
from earning import Clerk


@pytest.fixture
def clerk(opened_on_any):
    return Clerk(opened_on_any)


async def test_smoke(clerk):
    for _ in range(3):
        await clerk.decided()
    labels = await labels_of(clerk.desk.store, "main", "assent", "note", clerk.desk.clock())
    assert labels.counts == {"review": 3} and [row.correct for row in labels.rows] == [True] * 3
    assert all(row.features["agreement"] == 1.0 for row in labels.rows)
    found = await evidence_of(clerk.desk.store, clerk.desk.clock, "main", "assent", "note")
    assert found.missing
    with pytest.raises(NotAllowed):
        await promote(clerk.desk.store, clerk.desk.clock, "assent", "note", Level.CERTIFIED, "lee", digest=found.digest, reason="x")
    row = await demote(clerk.desk.store, clerk.desk.clock, "assent", "note", Level.SHADOW, "lee", reason="x")
    assert row.level == 0
