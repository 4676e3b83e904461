"""What a tool declares secret is seen by the tool alone: no answer, export or log holds it, and what runs is the real value."""

from __future__ import annotations

import json
import logging

import assent
import pytest
from assent.evals.exports import FORMATS, export
from assent.graph.audit.auditing import exported, lines
from assent.graph.audit.masking import MASK, hidden, masked, restored, scrubbed, still_masked
from assent.graph.audit.verifying import verify
from assent.graph.errors import InvalidEdit, StaleDigest
from assent.graph.rules.terms import Terms
from fakes import Script, approve, asks, calls, edit, on_thread, reject, says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = 'sk-9f"8e\\7dé-never-shown'
ARGS = {"url": "https://x.example", "api_key": SECRET, "card": {"number": SECRET + "-2", "name": "C"}}
POLICY = assent.Policy((assent.on("call", lambda facts: assent.Ruling("review", f"It would use {facts.args['api_key']}.")),))


@pytest.fixture
def ran():
    return []


@pytest.fixture
def tool(ran):
    async def evidence(url: str, api_key: str, card: dict) -> str:
        return f"{url} knows {api_key}"

    @assent.action(consequence="costly", secret=["api_key", "card.number"], dry_run=evidence)
    async def call(url: str, api_key: str, card: dict) -> str:
        """Call somebody with a key."""
        ran.append({"url": url, "api_key": api_key, "card": card})
        logging.getLogger("assent").warning("called")
        return f"called {url} with {api_key} and {card['number']}"

    return call


def holds(found):
    """Whether the secret can be told from what was found, escaped in whichever way."""
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str)
    forms = (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], repr(SECRET)[1:-1], "never-shown")
    return [form for form in forms if form in text]


async def test_nothing_that_is_shown_exported_or_logged_holds_a_secret(opened_on_any, tool, ran, caplog):
    desk = opened_on_any
    asked = calls(("call", ARGS), text=f"I will use {SECRET}.")
    agent = desk.agent(
        tools=[tool], policy=POLICY, propose=Script(asked, says("Done."), asked, says("Sorry."), asked, says(), asked)
    )
    seen = {}
    answers = {"t1": approve, "t2": reject, "t3": lambda card: edit(card, url="https://y.example"), "t4": None}
    with caplog.at_level(logging.INFO):
        for thread, answer in answers.items():
            paused = await agent.ainvoke(asks(f"My key is {SECRET}, call them."), on_thread(thread))
            seen[thread, "interrupt"] = [one.value for one in paused["__interrupt__"]]
            (card,) = await desk.pending("ada")
            assert card.args == {"url": "https://x.example", "api_key": MASK, "card": {"number": MASK, "name": "C"}}
            seen[thread, "card"] = card.as_json()
            seen[thread, "found"] = await desk.pending("ada", search="knows")
            assert await desk.pending("ada", search="never-shown") == [], "a search would tell whether a guess is right"
            if answer is not None:
                await desk.decide(card.id, answer(card), "ada")
                await desk.drain()
            seen[thread, "chat"] = (await desk.conversation(thread)).as_json()
    seen["history"] = [line.as_json() for line in await desk.history("ada")]
    seen["tasks"] = [task.as_json() for task in await desk.tasks("ada")]
    seen["examples"] = [example.as_json() for example in await desk.examples("ada")]
    for format in FORMATS:
        seen["export", format] = [line async for line in export(desk.store, desk.tenant, format)]
    log = [line async for line in lines(exported(desk.store, desk.clock, desk.tenant))]
    seen["audit"] = b"".join(log).decode()
    seen["logged"] = caplog.text
    assert {where: told for where, told in seen.items() if holds(told)} == {}
    assert seen["examples"] and seen["export", "jsonl"] and MASK in json.dumps(seen["history"], ensure_ascii=False)
    assert (
        [one["api_key"] for one in ran] == [SECRET, SECRET]
        and ran[1]["card"] == ARGS["card"]
        and ran[1]["url"] == "https://y.example"
    )
    assert verify([json.loads(line) for line in log[:-1]]).bad == "", "the digests are over the real values"


async def test_a_secret_can_be_changed_and_the_mask_itself_is_never_one(opened, tool, ran):
    agent = opened.agent(tools=[tool], policy=POLICY, propose=Script(calls(("call", ARGS))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    with pytest.raises(assent.AssentError, match="card"):
        args = {**card.args, "card": {"number": [MASK, MASK], "name": "C"}}
        await opened.decide(card.id, {"type": "edit", "digest": card.digest, "args": args}, "ada")
    await opened.decide(card.id, edit(card, api_key="another key"), "ada")
    await opened.drain()
    assert [(one["api_key"], one["card"]["number"]) for one in ran] == [("another key", SECRET + "-2")]
    assert "another key" not in json.dumps([line.as_json() for line in await opened.history("ada")])


async def test_what_is_wrong_with_an_edit_is_said_without_the_secret(opened):
    async def evidence(url: str, api_key: str, card: dict) -> str:
        if "bad" in url:
            raise assent.ActionRefused(f"{url} takes neither {api_key} nor {card['number']}")
        return "fine"

    @assent.action(consequence="costly", secret=["api_key", "card.number"], dry_run=evidence)
    async def call(url: str, api_key: str, card: dict) -> str:
        """Call."""
        return "called"

    def policy(facts):
        if "embargo" in facts.args["url"]:
            return assent.Ruling("refuse", f"Not with {facts.args['api_key']}.")
        return assent.Ruling("review", "People look.")

    rules = assent.Policy((assent.on("call", policy),))
    agent = opened.agent(tools=[call], policy=rules, propose=Script(calls(("call", ARGS))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    for changed, says_why in (
        ({"url": "https://bad.example"}, "takes neither"),
        ({"url": "https://bad.example", "api_key": "never-shown-either"}, "takes neither"),
        ({"url": "https://embargo.example"}, "Not with"),
    ):
        with pytest.raises(InvalidEdit, match=says_why) as wrong:
            await opened.decide(card.id, edit(card, **changed), "ada")
        told = [str(wrong.value), wrong.value.problems]
        assert holds(told) == [] and MASK in told[0]
        assert wrong.value.__cause__ is None and wrong.value.__suppress_context__, "nor does a printed traceback tell it"


async def test_a_stale_digest_is_answered_with_both_arguments_and_no_secret(opened, tool):
    rules = assent.Policy((assent.on("call", lambda facts: assent.Ruling("review", "Two look.", terms=Terms(quorum=2))),))
    agent = opened.agent(tools=[tool], policy=rules, propose=Script(calls(("call", ARGS))))
    await agent.ainvoke(asks(), on_thread())
    (first,) = await opened.pending("ada")
    with pytest.raises(StaleDigest) as unknown:
        await opened.decide(first.id, {**approve(first), "digest": "0" * 64}, "bob")
    assert unknown.value.shown is None and unknown.value.asked == first.args and holds(unknown.value.asked) == []
    await opened.decide(first.id, edit(first, url="https://y.example"), "ada")
    (second,) = await opened.pending("bob")
    await opened.decide(second.id, edit(second, url="https://z.example"), "bob")
    for card, url in ((first, "https://x.example"), (second, "https://y.example")):
        with pytest.raises(StaleDigest) as stale:
            await opened.decide(card.id, approve(card), "lee")
        assert (stale.value.shown["url"], stale.value.asked["url"]) == (url, "https://z.example")
        assert holds([stale.value.shown, stale.value.asked]) == [] and stale.value.asked["api_key"] == MASK


async def test_the_card_and_the_example_of_another_call_do_not_tell_the_secret_either(opened_on_any, tool, till):
    desk, note = opened_on_any, ("note", {"text": "hello"})
    script = Script(calls(("call", ARGS), note), says("Done."), calls(note))
    agent = desk.agent(tools=[tool, till.note], policy=POLICY, propose=script)
    paused = await agent.ainvoke(asks(f"My key is {SECRET}, call them and note it."), on_thread())
    assert holds([one.value for one in paused["__interrupt__"]]) == []
    for card in await desk.pending("ada"):
        assert holds(card.as_json()) == [], card.tool
        await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    assert till.ran == [("note", "hello")]
    assert await desk.pending("ada", search="never-shown") == []
    await agent.ainvoke(asks("And once more."), on_thread())
    (later,) = await desk.pending("ada")
    assert later.tool == "note" and any(MASK in str(said) for said in later.conversation) and holds(later.as_json()) == []
    shown = {example.tool: holds(example.as_json()) for example in await desk.examples("ada")}
    assert shown == {"call": [], "note": []}


async def test_a_model_that_proposes_the_mask_is_told_so(opened, tool, ran):
    agent = opened.agent(tools=[tool], policy=POLICY, propose=Script(calls(("call", {**ARGS, "api_key": MASK}))))
    done = await agent.ainvoke(asks(), on_thread())
    assert ran == [] and await opened.pending("ada") == []
    assert any("api_key is hidden" in str(message.content) for message in done["messages"])


def test_a_secret_names_a_parameter():
    async def call(url: str) -> str:
        """Call."""
        return url

    with pytest.raises(ValueError, match="no parameter 'key'"):
        assent.action(consequence="costly", secret=["key"])(call)
    with pytest.raises(TypeError, match="secret is a list"):
        assent.action(consequence="costly", secret="url")(call)


LEAF = st.none() | st.booleans() | st.integers() | st.text()
PLAIN = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner), max_leaves=8)
PATHS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join), max_size=3)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from("abc"), PLAIN), PATHS)
def test_masking_and_restoring_lose_nothing(args, paths):
    shown = masked(args, paths)
    assert masked(shown, paths) == shown and set(shown) == set(args)
    assert restored(args, args, paths) == args
    if len({path.split(".")[0] for path in paths}) == len(paths):
        assert restored(shown, args, paths) == args or still_masked(args, paths)


def test_paths_go_through_lists_and_texts_lose_what_they_name():
    args = {"cards": [{"number": "4111-1111"}, {"number": None}, {"name": "x"}], "pin": 123456}
    shown = masked(args, ["cards.number", "pin", "missing.path"])
    assert shown == {"cards": [{"number": MASK}, {"number": None}, {"name": "x"}], "pin": MASK}
    texts = hidden(args, ["cards.number", "pin"])
    assert scrubbed({"a": ["pin 123456", 123456, True]}, texts) == {"a": [f"pin {MASK}", MASK, True]}
    assert scrubbed("untouched", []) == "untouched" and hidden({"pin": 1}, ["pin"]) == []
