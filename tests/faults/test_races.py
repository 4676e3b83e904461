"""Several processes go through the desk's doors at the same moment, on both databases; a few rounds of what `make faults` runs."""

from __future__ import annotations

import pytest
from migrating import migrate_together
from processes import FORKED, N
from races import RACES, run_race

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_whatever_is_raced_nothing_is_lost_done_twice_or_done_without_assent(race, database):
    found = run_race(race, database, N, idempotent=database == "postgresql")
    assert found.clean, found
    assert found.unknown == 0, "nobody was killed, so nobody needs to ask"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_three_processes_that_open_an_empty_database_migrate_it_once(database):
    assert migrate_together(database, 1).clean
