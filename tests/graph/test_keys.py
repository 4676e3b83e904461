"""What a certificate holds for: each part of a key that changes voids it and is named, and what should not matter does not."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import runpy
import sys
import types
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import assent
import pytest
from assent.evals.ladder.evidence import evidence_of
from assent.graph.autonomy.classes import in_words, key_of
from assent.graph.autonomy.levels import Level
from assent.graph.autonomy.scoring import AGREEMENT
from assent.graph.keyed import WORDING, code_digest
from assent.graph.made import made
from assent.graph.precedents import Example
from assent.graph.proposing import Offer, Precedent, Step, grounded, native, structured, weighed
from assent.graph.rules.policy import Policy, on
from assent.graph.signals import agreement, option_probability, precedent, self_assessment, verbalized
from assent.graph.signals.reading import taken
from assent.graph.signals.settings import MEASURED, settings_of
from assent.graph.store import autonomy, events, reviews
from assent.graph.store.autonomy_models import AutonomyRow, CertificateRow
from earning import Sure
from fakes import asks, calls, on_thread, says, staff
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import Field, SecretStr

NOTE = ("note", {"text": "hello"})


class Chat(BaseChatModel):
    """Proposes one note, and writes down what it is asked."""

    model_name: str = "chat-1"
    temperature: float = 0.0
    max_tokens: int | None = None
    timeout: float = 60.0
    base_url: str | None = None
    api_key: SecretStr | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    extra_body: dict[str, Any] = Field(default_factory=dict)
    heard: list[Any] = Field(default_factory=list, exclude=True)

    @property
    def _llm_type(self) -> str:
        return "chat"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        self.heard.append(tools)
        return self

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.heard.append([(one.type, one.content) for one in messages])
        done = any(one.type == "tool" for one in messages)
        return ChatResult(generations=[ChatGeneration(message=says() if done else calls(NOTE))])


class Letters:
    """An embedder for which all texts are alike."""

    def __init__(self, version: str = "1") -> None:
        self.made_with = {"version": version}

    async def embed(self, texts: Any) -> list[list[float]]:
        return [[1.0] for _ in texts]


def noting(which: str = "") -> Any:
    """Return the tool `note`, with another body, dry run or version as asked."""
    if which in ("body", "versioned body"):

        async def note(text: str) -> str:
            """Write a note."""
            return "noted twice"

    elif which == "comment":

        @assent.action(consequence="costly")  # a decorator, the layout and a comment change nothing of what it does
        async def note(
            text: str,
        ) -> str:
            """Write a note."""
            # a comment
            return "noted"

        return assent.action(consequence="reversible", dry_run=looks(""))(note.function)
    elif which == "argument":

        async def note(text: Annotated[str, "What to write."]) -> str:
            """Write a note."""
            return "noted"

    else:

        async def note(text: str) -> str:
            """Write a note."""
            return "noted"

    version = {"versioned": "1", "versioned body": "1", "raised": "2"}.get(which, "")
    note.__doc__ = "Write a note at once." if which == "description" else note.__doc__
    return assent.action(consequence="reversible", dry_run=looks(which), version=version)(note)


def looks(which: str) -> Any:
    if which == "dry run":

        def dry_run(text: str) -> str:
            return "It can be written."

    else:

        def dry_run(text: str) -> str:
            return "It can."

    return dry_run


def other(description: str = "Look something up.") -> Any:
    async def look(what: str) -> str:
        return what

    look.__doc__ = description
    return assent.action(consequence="read")(look)


LIMIT, KNOWN = 5, {"a": 1}


def small(facts: Any) -> bool:
    return len(facts.args) < LIMIT and "a" in KNOWN


def policy(which: str = "") -> Policy:
    if which == "body":

        def rule(facts: Any) -> assent.Ruling:
            return assent.Ruling("gate", "Notes pass when they are quite sure.")

    else:

        def rule(facts: Any) -> assent.Ruling:
            return assent.Ruling("gate" if small(facts) else "review", "Notes pass when they are sure.")

    rule.version = "2" if which == "version" else "1"  # type: ignore[attr-defined]
    return Policy((on("note", rule),))


def shown(number: int, text: str = "hi") -> Example:
    return Example(f"playbook:{number}", text, "note", {"text": text})


PLAYBOOK = (shown(1), shown(2, "ho"))
USUAL: dict[str, Any] = {"instructions": "You write notes.", "memory": Letters(), "playbook": PLAYBOOK}
SECRET = "sk-a-secret-that-nobody-may-read"


def employed(desk: assent.Desk, **changes: Any) -> Any:
    values = {**USUAL, "tools": [noting(), other()], "policy": policy(), "signals": [Sure()], **changes}
    values.setdefault("model", Chat())
    return desk.agent(**values)


async def proposed(desk: assent.Desk, agent: Any, thread: str) -> Any:
    """Have one note proposed; returns its row."""
    await agent.ainvoke(asks(), on_thread(thread))
    async with desk.store.read() as tx:
        return (await reviews.actions_of_thread(tx, thread))[0]


async def certify(desk: assent.Desk, row: Any) -> None:
    """Let the class of an action pass by a certificate under the action's key, as a signature would."""
    key = key_of(row.agent, row.tool, row.tool_digest, row.provenance)
    assert key.digest() == row.provenance["earned"]["key"]
    numbers = {"alpha": 0.05, "delta": 0.1, "threshold": 0.8, "head": AGREEMENT.as_json(), "created_at": desk.clock()}
    named = {"tenant": "main", "agent": row.agent, "tool": row.tool}
    async with desk.store.begin() as tx:
        known = await autonomy.get(tx, "main", row.agent, row.tool)
        signed = f"cert {key.digest()}"
        if await autonomy.certificate(tx, "main", signed) is None:
            parts = {"id": signed, "key": key.digest(), "parts": key.as_json(), "level": 2, "status": "signed", "report": {}}
            await autonomy.add_certificate(tx, CertificateRow(**parts, **named, **numbers))
        values = {"key": key.digest(), "certificate": signed, "head": AGREEMENT.as_json(), "threshold": 0.8, "share": 1e-9}
        values["watched_until"] = desk.clock() + timedelta(days=1)
        class_ = known or AutonomyRow(**named, since=desk.clock(), version=0)
        assert await autonomy.change(tx, class_, level=int(Level.CERTIFIED), seed="s", suspended="", **values)


CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "another model": ({"model": Chat(model_name="chat-2")}, {"model"}),
    "another build of it": ({"model_version": "2026-11-01"}, {"build"}),
    "another temperature": ({"model": Chat(temperature=0.7)}, {"sampling"}),
    "fewer tokens": ({"model": Chat(max_tokens=9)}, {"sampling"}),
    "more in the body": ({"model": Chat(extra_body={"top_k": 1})}, {"sampling"}),
    "another endpoint": ({"model": Chat(base_url="https://models.example.com/v1")}, {"sampling"}),
    "something sent along": ({"propose": native(Chat(), settings={"top_p": 0.1})}, {"sampling"}),
    "something bound": ({"propose": native(Chat().bind(stop=["x"]))}, {"sampling"}),  # type: ignore[arg-type]
    "other instructions": ({"instructions": "You write short notes."}, {"prompt"}),
    "another demonstration": ({"playbook": (shown(1), shown(2, "hey"))}, {"prompt"}),
    "no demonstration": ({"playbook": ()}, {"prompt"}),
    "another embedder": ({"memory": Letters("2")}, {"prompt"}),
    "no leave to finish": ({"may_finish": False}, {"prompt"}),
    "another description": ({"tools": [noting("description"), other()]}, {"schema", "offers"}),
    "another description beside it": ({"tools": [noting(), other("Look it up.")]}, {"offers"}),
    "a tool less to choose from": ({"tools": [noting()]}, {"offers"}),
    "another word on an argument": ({"tools": [noting("argument"), other()]}, {"schema", "offers", "code"}),
    "another effect": ({"tools": [noting("body"), other()]}, {"code"}),
    "another dry run": ({"tools": [noting("dry run"), other()]}, {"code"}),
    "a declared version": ({"tools": [noting("raised"), other()]}, {"code"}),
    "another rule": ({"policy": policy("body")}, {"policy"}),
    "another version of a rule": ({"policy": policy("version")}, {"policy"}),
    "more signals": ({"signals": [Sure(), self_assessment(Chat(), answer_tokens=9)]}, {"signals"}),
}


SAME: dict[str, dict[str, Any]] = {
    "a new process": {"model": Chat(), "memory": Letters(), "policy": policy(), "tools": [noting(), other()]},
    "another secret": {"model": Chat(api_key=SecretStr("rotated"))},
    "more time": {"model": Chat(timeout=5.0)},
    "the same model's default, said aloud": {"model": Chat(temperature=0.0, extra_body={})},
    "the same model, named by hand": {"model_name": "chat-1"},
    "nothing sent along": {"propose": native(Chat(), timeout_seconds=5.0)},
    "tools in another order": {"tools": [other(), noting()]},
    "a playbook in another order": {"playbook": PLAYBOOK[::-1]},
    "a playbook under other ids": {"playbook": (shown(8), shown(9, "ho"))},
    "comments, layout and a decorator": {"tools": [noting("comment"), other()]},
    "a rule said twice": {"policy": Policy((*policy().checks, *policy().checks))},
}


def parts_of(desk: assent.Desk, name: str, **changes: Any) -> dict[str, str]:
    """Return the parts of the key that an agent's notes have."""
    employed(desk, name=name, **changes)
    (gate,) = desk.gates(name)
    return key_of("assent", "note", gate.digests["note"], gate.provenance_of("note")).as_json()


async def test_each_change_shows_in_its_part_and_in_no_other(opened: assent.Desk) -> None:
    before = parts_of(opened, "before")
    assert all(value for name, value in before.items() if name != "build")
    for what, (changes, parts) in CHANGES.items():
        now = parts_of(opened, what, **changes)
        assert {name for name in before if before[name] != now[name]} == parts, what


async def test_what_should_not_matter_does_not(opened: assent.Desk) -> None:
    before = parts_of(opened, "before")
    for what, changes in SAME.items():
        now = parts_of(opened, what, **changes)
        assert {name for name in before if before[name] != now[name]} == set(), what
    found = [parts_of(opened, which, tools=[noting(which), other()]) for which in ("versioned", "versioned body")]
    assert found[0] == found[1] != before, "a declared version stands for the code"
    rotated = [parts_of(opened, key, model=Chat(headers={"X-Api-Key": key, "X-Mode": "fast"})) for key in ("one", "two")]
    assert rotated[0] == rotated[1] != before, "a secret is no part of it, and what stands beside it is"
    loopback = [parts_of(opened, f"at {port}", model=Chat(base_url=f"http://127.0.0.1:{port}/v1")) for port in (1, 2)]
    assert loopback[0] == loopback[1], "a server on this machine may listen anywhere"


DOORS = [
    "another model",
    "another build of it",
    "another temperature",
    "other instructions",
    "another description beside it",
    "another word on an argument",
    "another effect",
    "another rule",
    "more signals",
]


async def test_a_changed_part_voids_the_certificate_at_its_next_action_and_is_named(url: str) -> None:
    async with assent.open(url) as desk:
        await staff(desk)
        agent = employed(desk)
        first = await proposed(desk, agent, "first")
        assert first.verdict == "review"
        for what in DOORS:
            changes, parts = CHANGES[what]
            await certify(desk, first)
            assert (await proposed(desk, agent, f"before {what}")).verdict == "allow", what
            async with assent.open(url) as again:
                row = await proposed(again, employed(again, **changes), what)
            assert row.verdict == "review", what
            async with desk.store.read() as tx:
                found = await autonomy.get(tx, "main", "assent", "note")
                told = [one for one in await events.of_subject(tx, "main", "class assent/note") if one.kind == "autonomy.suspended"]
            body = max(told, key=lambda one: one.seq).body
            assert set(body["changed"]) == parts, what
            assert found is not None and f"Changed: {in_words(body['changed'])}." in found.suspended
            before, now = (key_of("assent", "note", one.tool_digest, one.provenance).as_json() for one in (first, row))
            assert body["parts"] == {name: {"before": before[name], "now": now[name]} for name in parts}, what


async def test_a_restart_that_changes_nothing_keeps_the_certificate(url: str) -> None:
    async with assent.open(url) as desk:
        await staff(desk)
        await certify(desk, await proposed(desk, employed(desk), "first"))
    async with assent.open(url) as desk:
        assert (await proposed(desk, employed(desk, **SAME["a new process"]), "second")).verdict == "allow"


# -- a gate in a graph of somebody's own -----------------------------------------------------------------------------


def gated(desk: assent.Desk, **named: Any) -> Any:
    """Return a graph of the embedder's own with the gate in it."""

    async def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await Chat().ainvoke(state["messages"])]}

    def on_or_end(state: MessagesState) -> str:
        return "tools" if getattr(state["messages"][-1], "tool_calls", None) else END

    gate = desk.gate([noting()], policy=policy(), name="mine", model=Chat(), signals=[Sure()], **named)
    builder = StateGraph(MessagesState).add_node("think", think).add_node("tools", gate)
    builder.add_edge(START, "think").add_conditional_edges("think", on_or_end).add_edge("tools", "think")
    return desk.serve(builder.compile(checkpointer=desk.saver), name="mine")


async def test_behind_a_gate_that_knows_no_prompt_nothing_is_certified(url: str) -> None:
    async with assent.open(url) as desk:
        await staff(desk)
        agent = gated(desk)
        row = await proposed(desk, agent, "first")
        needed = (await evidence_of(desk.store, desk.clock, "main", "mine", "note")).missing
        assert any("give the gate a `prompt`" in one for one in needed), needed
        await certify(desk, row)
        row = await proposed(desk, agent, "second")
        assert row.verdict == "review" and "`prompt`" in row.reasons[0]["text"], "not even by a certificate that should not be"


async def test_behind_a_gate_that_knows_its_prompt_another_one_voids_the_certificate(url: str) -> None:
    async with assent.open(url) as desk:
        await staff(desk)
        agent = gated(desk, prompt="You write notes.")
        first = await proposed(desk, agent, "first")
        await certify(desk, first)
        assert (await proposed(desk, agent, "second")).verdict == "allow"
        assert not any("`prompt`" in one for one in (await evidence_of(desk.store, desk.clock, "main", "mine", "note")).missing)
        for number, changes in enumerate(({"prompt": "You write short notes."}, {"model_version": "2"}, {"model_name": "chat-2"})):
            await certify(desk, first)
            async with assent.open(url) as again:
                row = await proposed(again, gated(again, **{"prompt": "You write notes.", **changes}), f"changed-{number}")
                assert row.verdict == "review", changes


# -- what code reads and stands around -------------------------------------------------------------------------------

TOOL = """
import functools, assent
LIMIT, SENT = 5, []
def logged(function):
    @functools.wraps(function)
    async def inner(*args, **kwargs):
        return await function(*args, **kwargs)
    return inner
class Around:
    def __init__(self, function):
        functools.update_wrapper(self, function)
    async def __call__(self, *args, **kwargs):
        return await self.__wrapped__(*args, **kwargs)
@functools.lru_cache
def cut(text):
    return text[:LIMIT]
def noting(most=3):
    @logged
    async def dry_run(text: str) -> str:
        return "It can."
    async def undo(text: str) -> None:
        SENT.remove(text)
    @assent.action(consequence="reversible", dry_run=dry_run, undo=Around(undo))
    @logged
    @logged
    async def note(text: str) -> str:
        "Write a note."
        SENT.append(text)
        return cut(text)[:most]
    return note
note = noting()
"""

RULE = """
import dataclasses, os
from pathlib import Path
AMOUNT_KEY, HERE, NEAR = "amount", Path(__file__).parent, [os.path.dirname(os.path.dirname(__file__)) + "/near"]
@dataclasses.dataclass(frozen=True)
class Limits:
    most: int
LIMITS = Limits(5)
def logged(function):
    inner = lambda facts: True
    inner.__wrapped__ = function
    return inner
@logged
def small(facts):
    return facts.args[AMOUNT_KEY] < LIMITS.most
def check(facts, where=HERE / "a"):
    return small(facts) and settings.MAX and (HERE / "b").exists() and NEAR
"""


def running(text: str, old: str = "", new: str = "", *, file: str = "/here/shop/rules.py", most: int = 1) -> dict[str, Any]:
    """Return the names that a module of a package holds after a word of it was changed."""
    assert old in text
    settings = types.ModuleType("shop.settings")
    settings.__dict__["MAX"] = most
    names = {"__name__": "shop.rules", "__file__": file, "settings": settings}
    exec(compile(text.replace(old, new), "<typed>", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cut(text)[:most]", "cut(text)"),  # behind two decorators
        ("most=3", "most=4"),
        ("LIMIT, SENT = 5", "LIMIT, SENT = 6"),
        ("text[:LIMIT]", "text"),  # called by name, and decorated
        ("await function(*args", "await function(*args[:1]"),
        ("It can.", "It cannot."),
        ("SENT.remove(text)", "SENT.clear()"),
    ],
)
def test_what_a_tool_does_behind_its_decorators_is_its_code(old: str, new: str) -> None:
    first, second = running(TOOL)["note"], running(TOOL)
    second["SENT"].append("what was sent before")
    assert code_digest(first) == code_digest(second["note"]) != code_digest(running(TOOL, old, new)["note"])


def test_the_code_of_a_tool_that_ships_with_assent_counts_as_any_other() -> None:
    def named(old: str = "", new: str = "") -> Any:
        return running(TOOL.replace("import functools", "__name__ = 'assent.tools.shop'; import functools"), old, new)["note"]

    assert code_digest(named()) != code_digest(named("It can.", "It cannot."))


@pytest.mark.parametrize(
    ("old", "new", "most"),
    [
        ('AMOUNT_KEY, HERE, NEAR = "amount"', 'AMOUNT_KEY, HERE, NEAR = "tip"', 1),
        ("Limits(5)", "Limits(6)", 1),
        ("facts.args[AMOUNT_KEY] < LIMITS.most", "AMOUNT_KEY and LIMITS", 1),  # behind a decorator
        ('HERE / "a"', 'HERE / "c"', 1),
        ("/near", "/far", 1),
        ("", "", 2),  # what another module of the package holds
    ],
)
def test_what_a_check_reads_is_its_policy_and_where_it_lies_is_not(old: str, new: str, most: int) -> None:
    def ruled(**changes: Any) -> str:
        return Policy((on("note", running(RULE, **changes)["check"]),)).digest

    assert ruled() == ruled(file="/else/where/shop/rules.py") != ruled(old=old, new=new, most=most)


class Numbered(Chat):
    run: str = Field(default_factory=lambda: uuid.uuid4().hex)


def chosen(name: str) -> Any:
    return {"tool_choice": {"type": "function", "function": {"name": name}}}


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        (Numbered(), Numbered(), Numbered(run="mine")),
        (Chat().bind(**chosen("a")), Chat().bind(**chosen("a"), timeout=5), Chat().bind(**chosen("b"))),
        (
            native(Chat(), settings=chosen("a")),
            native(Chat(), settings={**chosen("a"), "timeout": 5}),
            native(Chat(), settings=chosen("b")),
        ),
        (Chat().with_config(tags=["a"]), Chat().with_config(tags=["b"]), Chat().with_config(configurable={"temperature": 1})),
    ],
)
def test_of_a_model_what_changes_its_answers_counts_and_what_differs_at_each_start_does_not(
    first: Any, same: Any, other: Any
) -> None:
    assert made(first) == made(same) != made(other)


# -- stable, and without secrets -------------------------------------------------------------------------------------

PROGRAM = '''
import json, assent
from assent.graph.rules.policy import Policy, on
from assent.graph.keyed import code_digest, offers_digest
WORDS = {"refund", "money", "back", "please"}
def typed(text):
    made = {"WORDS": WORDS}
    exec(compile(text, __file__ + " typed", "exec"), made)
    return made["check"]
def check(facts):
    return None if facts.tool in {"a", "b", "c", "d", "e"} and WORDS else assent.Ruling("gate", "Yes.")
@assent.action(consequence="reversible")
async def note(text: str, kind: str = "plain") -> str:
    """Write a note."""
    return text if kind in {"plain", "bold", "small"} else ""
bare = "\\n\\n\\ndef check(facts): return [one for one in facts.args if one in {'a','b','c','d','e','f','g','h'} or WORDS]"
rules = [on({"note", "pay", "look"}, check), on("note", typed(bare))]
DIGESTS = [Policy(rules).digest, code_digest(note), offers_digest([note])]
print(json.dumps(DIGESTS))
'''


async def test_digests_are_the_same_in_every_process_and_wherever_the_code_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "here" / "program.py", tmp_path / "there" / "program.py"
    for path, head in ((here, ""), (there, "# moved down\n")):
        path.parent.mkdir()
        path.write_text(head + PROGRAM)
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    pipe, known = asyncio.subprocess.PIPE, {**os.environ, "PYTHONHASHSEED": seed}
    process = await asyncio.create_subprocess_exec(sys.executable, str(there), env=known, stdout=pipe, stderr=pipe)
    out, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    assert json.loads(out) == runpy.run_path(str(here), run_name="__main__")["DIGESTS"]


def test_no_secret_and_no_way_to_one_is_told() -> None:
    model = Chat(
        api_key=SecretStr(SECRET),
        headers={"Authorization": SECRET, "x-api-key": SECRET, "X-Mode": "fast"},
        base_url=f"https://user:{SECRET}@models.example.com/v1?key={SECRET}",
        extra_body={"auth_token": SECRET, "top_k": 3},
    )
    told = json.dumps(made([native(model, settings={"api_key": SECRET}), model.bind(token=SECRET), self_assessment(model)]))
    assert SECRET not in told and told.count("models.example.com") == 3 and '"top_k": 3' in told and '"X-Mode": "fast"' in told


async def test_our_own_words_around_a_step_are_those_of_their_version() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "kind": {"enum": ["a", "b"]}}, "required": ["text"]}
    step = Step(
        "Be kind.",
        (HumanMessage("Hello there."), AIMessage("Yes?"), HumanMessage("A note.")),
        (Offer("note", "Write a note.\nMore of it.", schema), Offer("look", "Look.", {"type": "object", "properties": {}})),
        tuple(Precedent(f"e{n}", f"Old note {n}.", "note", {"text": "x", "kind": "a"}, n / 30) for n in range(30)),
    )
    chat, asked = Chat(), []

    async def score(messages: Any, options: Any) -> list[float]:
        asked.append(([(one.type, one.content) for one in messages], list(options)))
        return [1 / len(options)] * len(options)

    for propose in (native(chat), structured(chat), weighed(score, native(chat))):
        with contextlib.suppress(assent.AssentError):  # the structured answer is no JSON, and what was asked is what counts
            await propose(step)
    proposing = digest(chat.heard, asked)
    chat.heard.clear()
    for signal in (self_assessment(chat), verbalized(chat)):
        await taken(signal, "note", {"text": "x", "kind": "a"}, step, native(chat))
    told = "the words changed: raise WORDING or MEASURED with them, and pin them anew"
    assert (WORDING, proposing) == (1, "6dd2a242738c94e9"), told
    assert (MEASURED, digest(chat.heard)) == (1, "8efc9de696f50bd3"), told


def test_an_upgrade_that_changes_nothing_keeps_the_keys() -> None:
    nobody: Any = None
    proposers = [made(native(nobody)), made(structured(nobody)), made(grounded(native(nobody)))]
    signals = [
        agreement(),
        agreement(k=5, strict=True),
        precedent(),
        self_assessment(nobody),
        verbalized(nobody),
        option_probability(),
    ]
    told = "a name that a key is made of has changed: keep it, or say in the changelog that certificates are void"
    assert digest(proposers, settings_of(signals)) == "7b154818bdbdd325", told


def digest(*heard: Any) -> str:
    return hashlib.sha256(json.dumps(heard, sort_keys=True).encode()).hexdigest()[:16]
