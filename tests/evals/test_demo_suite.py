"""The demo suite on the real shop: every case on a desk and a shop of its own, ruled on by the shop's own policy."""

from importlib.resources import as_file, files

import pytest
from assent.evals import Call, EvalCase, Parts, find_suite, run
from assent.evals.suites.demo import fresh_desk, proposal
from assent.graph.store.models import ActionRow
from assent.tools.shop.actions import shop_tools
from fakes import Script, calls, says

HAND_OVER = EvalCase("h", "Nobody answers me!", Call("hand_over", {"team": "complaints"}), partial=True, requester="C100")


def built(*lines, **settings):
    """Return a builder whose agents read these lines, and the steps they were shown."""
    shown = []

    def build(desk, shop):
        script = Script(*lines)
        shown.append(script)
        with as_file(files("assent.tools.shop") / "policy.yaml") as policy:
            return desk.agent(None, shop_tools(shop), policy=policy, propose=script, signals=(), **settings)

    return build, shown


async def test_a_case_is_played_on_the_shops_own_tools_and_policy():
    build, shown = built(calls(("send_reply", {"topic": "order_status", "order_id": "1002", "body": "Soon."})))
    found = await fresh_desk(build)(EvalCase("a", "Where is it?", requester="C100"))
    assert (found.tool, found.args["order_id"], found.verdict) == ("send_reply", "1002", "review")
    (refund,) = [offer for offer in shown[0].steps[0].offers if offer.name == "refund"]
    assert {choice["order_id"] for choice in refund.choices} <= {"1001", "1002", "1003", "1004", "1005"}


async def test_nothing_of_one_case_is_left_for_the_next():
    build, shown = built(calls(("look_up_order", {"order_id": "1001"})), says("Here it is."))
    task = fresh_desk(build)
    same = EvalCase("a", "Where is it?", requester="C100")
    assert await task(same) == await task(same)
    assert len(shown) == 2 and all(len(script.steps) == 2 for script in shown)


async def test_an_agent_that_ends_without_an_action_proposed_nothing():
    build, _ = built(says("Good day."))
    found = await fresh_desk(build)(HAND_OVER)
    assert (found.tool, found.verdict) == (None, None)


async def test_an_agent_that_fails_fails_its_case():
    build, _ = built(RuntimeError("no model"), RuntimeError("no model"), RuntimeError("no model"))
    with pytest.raises(RuntimeError, match="no model"):
        await fresh_desk(build)(HAND_OVER)


async def test_the_suite_takes_the_messages_held_out_and_scores_them():
    def knows(step):
        """Answer every customer by handing over to complaints."""
        return calls(("hand_over", {"team": "complaints", "note": "angry"}))

    build, _ = built(knows)
    suite = find_suite("demo", Parts(tasks={"fresh_desk": fresh_desk(build)}))
    cases = await suite.cases()
    assert len(cases) >= 100 and all(case.partial and case.expected for case in cases)
    report = await run(suite, limit=4)
    assert report.errors == 0
    assert report.verdicts == {"allow": 0, "review": 4, "refuse": 0, "none": 0}
    right = sum(case.expected == Call("hand_over", {"team": "complaints"}) for case in cases[:4])
    assert (report.share("exact_action").hits, report.share("exact_action").n) == (right, 4)
    assert report.exit_code == 0


def row(tool, verdict, consequence="reversible"):
    return ActionRow(tool=tool, args={}, verdict=verdict, consequence=consequence)


@pytest.mark.parametrize(
    ("rows", "tool"),
    [
        ([row("look", "allow", "read"), row("pay", "review")], "pay"),
        ([row("pay", "refuse"), row("note", "review")], "note"),
        ([row("note", "allow"), row("reply", "review")], "note"),
        ([row("look", "allow", "read")], "look"),
        ([], None),
    ],
)
def test_a_turn_comes_to_what_ran_first_with_an_effect_or_else_to_its_last_proposal(rows, tool):
    assert proposal(rows).tool == tool
