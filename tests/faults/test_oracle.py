"""The judge sees what it is there to see: each kind of wrong is done by hand, and named."""

from __future__ import annotations

import pytest
from crashes import places
from desk import all_drained, approved_and_drained, asked, payees_of
from oracle import judge
from processes import FORKED, asking, one

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]


def test_each_kind_of_wrong_is_named():
    payees = [payee for thread in ("t0", "t1") for payee in payees_of(thread)]
    with places("sqlite", idempotent=False) as place:
        assert one(asked, place, ["t0", "t1"]) == 0
        assert asking(judge, place, payees).clean, "what waits and is shown is not lost"
        place.bank.pay(None, "t1-0", 5)
        assert asking(judge, place, payees).without == ["t1-0: 5"], "paid while it waits"
        assert one(approved_and_drained, place) == 0
        assert asking(judge, place, payees).twice == ["t1-0: 5 paid 2 times"]
        place.bank.pay(None, "t0-0", 9)
        found = asking(judge, place, payees)
        assert found.without == ["t0-0: 9"], "another amount than the one approved"
        assert any(line.startswith("t9-0: was never proposed") for line in asking(judge, place, ["t9-0"]).lost)
        assert one(all_drained, place) == 0
