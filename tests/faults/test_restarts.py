"""PostgreSQL falls over again and again while people decide; a little of `make faults`."""

from __future__ import annotations

import pytest
from processes import FORKED, N
from restarts import restarts

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]


def test_while_the_database_restarts_nothing_is_lost_done_twice_or_done_without_assent():
    found, times = restarts(6 * N, idempotent=False)
    assert found.clean, found
    assert times >= 3
