"""The whole story through public doors: earned by decisions, signed by a lead, watched by audits, and taken back."""

from __future__ import annotations

import assent
from assent.evals.ladder.evidence import evidence_of
from assent.evals.ladder.levels import promote
from assent.graph.audit.auditing import exported
from assent.graph.audit.verifying import verify
from assent.graph.autonomy.drawing import draw
from assent.graph.autonomy.levels import Level
from assent.graph.store import autonomy
from earning import Clerk
from fakes import reject, staff


async def test_autonomy_is_earned_signed_watched_and_taken_back(url):
    async with assent.open(url) as desk:
        await staff(desk)
        clerk = Clerk(desk)

        for _ in range(60):
            await clerk.decided("approve")
        await desk.drain()
        assert len(clerk.till.ran) == 60

        found = await evidence_of(desk.store, desk.clock, "main", "assent", "note")
        assert found.to == Level.CERTIFIED and found.missing == (), found.missing
        assert found.body["certificate"]["n"] == 60 and found.body["certificate"]["k"] == 0
        row = await promote(
            desk.store,
            desk.clock,
            "assent",
            "note",
            Level.CERTIFIED,
            "lee",
            certificate=found.offered,
            digest=found.digest,
            reason="Sixty of sixty were right.",
        )
        assert (row.level, row.share) == (2, 0.2)

        passed, audited = [], []
        while len(audited) < 2:
            action = await clerk.proposes(1.0)
            assert (await clerk.row(action)).verdict == "allow"
            passed.append(action)
            if draw(row.seed, action) < 0.2:
                audited.append(action)
        cards = await desk.pending("ada")
        assert len(cards) == 2 and len(clerk.till.ran) == 60 + len(passed), "what passed has run; only the audited are asked about"
        assert all(card.confidence is None for card in cards), "an audit does not show what the machine made of it"

        low = await clerk.proposes(0.4)
        assert (await clerk.row(low)).verdict == "review", "what is unsure is still reviewed"

        for card in cards:
            done = await desk.decide(card.id, reject(card), "ada")
            assert done.probe == "audit" and "audit" in done.revealed
        async with desk.store.read() as tx:
            after = await autonomy.get(tx, "main", "assent", "note")
        assert after.level == Level.SUPERVISED and after.seed == ""
        assert (await clerk.row(await clerk.proposes(1.0))).verdict == "review", "from the next action on everything is reviewed"

        report = verify([item async for item in exported(desk.store, desk.clock, "main")])
        assert report.exit_code == 0, report.bad
        events = [item async for item in exported(desk.store, desk.clock, "main") if item["type"] == "event"]
        (up,) = [one for one in events if one["kind"] == "autonomy.promoted"]
        (down,) = [one for one in events if one["kind"] == "autonomy.demoted"]
        assert up["actor"] == "lee" and up["body"]["digest"] == found.digest and up["body"]["evidence"] == found.body
        assert down["actor"] == "monitor" and down["body"]["evidence"]["monitor"]["errors"] == 2
        assert down["body"]["seed"] == row.seed and down["body"]["seed_digest"] == up["body"]["seed_digest"]
        drawn = {
            one["subject"]: one["body"]["provenance"]["earned"]
            for one in events
            if one["kind"] == "verdict" and one["subject"] in passed
        }
        assert {action for action, earned in drawn.items() if earned["audited"]} == set(audited)
        assert all(earned["draw"] == draw(down["body"]["seed"], action) for action, earned in drawn.items())
