"""Policy files: the same objects as in Python, and one line with the right place for every mistake one can foresee."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from assent.graph.rules.checks import hidden_characters
from assent.graph.rules.policy import KINDS, Facts, Policy, on
from assent.graph.rules.policy_file import (
    FileRule,
    PolicyDocument,
    PolicyFileError,
    RuleEntry,
    as_yaml,
    load_policy,
    parse_policy,
    read_document,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
GOOD = """\
version: 1
threshold: 0.6
rules:
  - name: reads
    when: consequence == "read"
    ruling: allow
    reason: It only reads.
  - name: big
    tools: [refund]
    when: double(args.amount) > 100.0
    ruling: review
    reason: Too much.
"""
TOOLS = {"refund": ["order_id", "amount"], "hand_over": ["team"]}
SHOP = {
    "look_up_customer": [],
    "look_up_order": ["order_id"],
    "change_address": ["order_id", "address"],
    "refund": ["order_id", "amount", "reason"],
    "cancel_order": ["order_id"],
    "send_reply": ["topic", "order_id", "body"],
    "hand_over": ["team", "note"],
}


def facts(tool: str = "refund", consequence: Any = "costly", **args: Any) -> Facts:
    return Facts(tool, args, consequence, "C1", "main", "shop", "t1", {"text": "Hello", "evidence": "", "choices_legal": True})


def error_of(content: str | bytes) -> PolicyFileError:
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(content, "policy.yaml", tools=TOOLS)
    assert "\n" not in str(caught.value)
    return caught.value


# What is replaced in GOOD, by what, the place the error must name, and words it must say.
TYPOS = [
    (
        "threshold",
        "treshold",
        "2:1",
        "unknown key 'treshold'; did you mean 'threshold'? (allowed: version, threshold, thresholds",
    ),
    (
        "    ruling: allow",
        "    rulling: allow",
        "6:5",
        "unknown key 'rulling'; did you mean 'ruling'? (allowed: name, tools, when",
    ),
    ("    when: double", "    if: double", "10:5", "unknown key 'if' (allowed: name, tools, when, ruling, reason, terms)"),
    (
        "ruling: allow",
        "ruling: alow",
        "6:13",
        "ruling cannot be 'alow'; did you mean 'allow'? (allowed: allow, gate, review, refuse)",
    ),
    ("ruling: allow", "ruling: Allow", "6:13", "did you mean 'allow'?"),
    ("ruling: allow", "ruling: yes", "6:13", "ruling cannot be True (allowed: allow, gate, review, refuse)"),
    ("ruling: allow", "ruling: approve", "6:13", "(allowed: allow, gate, review, refuse)"),
    ("    reason: It only reads.\n", "", "4:5", "'reason' is missing"),
    ("  - name: reads\n    when", "  - when", "4:5", "'name' is missing"),
    ("version: 1\n", "", "1:1", "'version' is missing"),
    ("version: 1", "version: 2", "1:10", "version cannot be 2 (allowed: 1, without quotes)"),
    ("version: 1", 'version: "1"', "1:10", "version cannot be '1' (allowed: 1, without quotes)"),
    ("version: 1", "version: true", "1:10", "version cannot be 'True' (allowed: 1, without quotes)"),
    ("0.6", "1.6", "2:12", "threshold cannot be 1.6: input should be less than or equal to 1"),
    ("0.6", "-1", "2:12", "threshold cannot be -1"),
    ("0.6", ".nan", "2:12", "threshold cannot be nan"),
    ("0.6", "60%", "2:12", "threshold cannot be '60%': input should be a valid number"),
    ("0.6", '"0.6"', "2:12", "threshold cannot be '0.6': input should be a valid number"),
    ("0.6", "true", "2:12", "threshold cannot be True"),
    ("0.6", "0.6\nthresholds: {refnd: 0.7}", "3:14", "there is no tool 'refnd'; did you mean 'refund'?"),
    ("0.6", "0.6\nthresholds: {refund: 7}", "3:22", "thresholds.refund cannot be 7"),
    (
        "0.6",
        "0.6\nchecks: [hidden_character]",
        "3:10",
        "checks[0] cannot be 'hidden_character'; did you mean 'hidden_characters'?",
    ),
    ("0.6", "0.6\nchecks: hidden_characters", "3:9", "checks must be a list, such as [hidden_characters]"),
    (
        "0.6",
        "0.6\nunreviewed_irreversible: [cancel]",
        "3:27",
        "there is no tool 'cancel' (there are: hand_over, refund)",
    ),
    ("[refund]", "refund", "9:12", "tools must be a list, such as [refund]"),
    ("[refund]", "[]", "9:12", "tools must not be empty; leave it out to mean every tool"),
    (
        "[refund]",
        "[refund, refnd]",
        "9:21",
        "there is no tool 'refnd'; did you mean 'refund'? (there are: hand_over, refund)",
    ),
    ("[refund]", "['refund*']", "9:13", "'refund*' is not an exact tool name; patterns are not supported"),
    ("[refund]", "[on]", "9:13", "tools[0] must be text, not True; put it in quotes if it is"),
    ("args.amount", "args.amont", "10:23", "no tool of this rule has an argument 'amont'; did you mean 'amount'?"),
    ("args.amount", "amount", "10:18", "rule 'big': unknown variable 'amount'; an argument is read as args.amount"),
    ("args.amount", "arg.amount", "10:18", "unknown variable 'arg'; did you mean 'args'?"),
    ("double(", "duble(", "10:11", "unknown function 'duble'; did you mean 'double'?"),
    ("> 100.0", ">", "10:32", "rule 'big': not a CEL expression: mismatched input '<EOF>'"),
    ("> 100.0", "> '100'", "10:31", "letter by letter"),
    ('when: consequence == "read"', "when: consequence = 'read'", "5:23", "rule 'reads': not a CEL expression"),
    ('when: consequence == "read"', "when: true", "5:11", "when must be text, not True; put it in quotes if it is"),
    ('when: consequence == "read"', "when: 'consequnce == 1'", "5:12", "did you mean 'consequence'?"),
    ('when: consequence == "read"', 'when: >\n      consequnce\n      == "a"', "5", "did you mean 'consequence'?"),
    ('when: consequence == "read"', 'when: |\n      tool ==\n      "a" || tol == "b"', "7", "unknown variable 'tol'"),
    ("name: big", "name: reads", "8:11", "there are two rules named 'reads'"),
    ("name: big", "name: ''", "8:11", "name must not be empty"),
    ("reason: Too much.", "reason:", "12:12", "reason must be text, not None"),
    ("reason: Too much.", "reason: 5", "12:13", "reason must be text, not 5; put it in quotes if it is"),
    ("reason: Too much.", "reason: 2026-11-20", "12:13", "'2026-11-20' would be read as timestamp"),
    (
        "reason: Too much.",
        "reason: !!python/name:os.system x",
        "12:13",
        "python/name:os.system, which is not supported",
    ),
    ("reason: Too much.", "reason: Too: much", "12:16", "not YAML: mapping values are not allowed here"),
    ("reason: Too much.", 'reason: "Too much', "13:1", "not YAML: found unexpected end of stream"),
    ("ruling: allow", "ruling: allow\n    ruling: gate", "7:5", "'ruling' is given twice, first in line 6"),
    ("threshold: 0.6", "threshold: 0.6\nthreshold: 0.1", "3:1", "'threshold' is given twice, first in line 2"),
    ("[refund]", "&all [refund]", "9:12", "anchors and aliases (& and *) are not supported"),
    ("[refund]", "*all", "9:12", "anchors and aliases (& and *) are not supported"),
    ("  - name: big", "\t- name: big", "8:1", "not YAML: found character '\\t' that cannot start any token"),
    ("    tools: [refund]", "   tools: [refund]", "9:4", "not YAML: expected <block end>"),
    ("version: 1", "<<: {a: 1}\nversion: 1", "1:1", "'<<' is not text, so it cannot be a key"),
    ("version: 1", "on: push\nversion: 1", "1:1", "'on' is not text, so it cannot be a key"),
    ("version: 1", "? [a]\n: b\nversion: 1", "1:3", "cannot be a key"),
    ("Too much.", "Too \x07much.", "12", "the character U+0007 is not allowed"),
]


@pytest.mark.parametrize(("old", "new", "place", "words"), TYPOS, ids=[f"{new.strip()[:30]}" for _, new, _, _ in TYPOS])
def test_a_mistake_is_told_in_one_line_with_its_place(old: str, new: str, place: str, words: str) -> None:
    assert GOOD.count(old) >= 1
    error = error_of(GOOD.replace(old, new, 1))
    assert str(error).startswith(f"policy.yaml:{place}: ")
    assert words in str(error)
    assert [str(part) for part in (error.line, error.column) if part is not None] == place.split(":")


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("", ":1", "a policy file is a mapping with the keys version,"),
        ("- a\n", ":1", "a policy file is a mapping"),
        ("version: 1\nrules:\n", ":2:7", "rules must be a list"),
        ("version: 1\nrules: []\n", ":2:8", "rules must not be empty"),
        (
            "version: 1\nrules: [review]\n",
            ":2:9",
            "rules[0] must be a mapping with the keys name, tools, when, ruling, reason",
        ),
        (GOOD + "---\n" + GOOD, ":13:1", "another document"),
        ("[" * 10_000, ":1:9", "nested more than 8 levels deep"),
        ("{a: " * 10_000, ":1:", "nested more than 8 levels deep"),
        ("x" * 1_000_000, "", "more than 64,000"),
        (b"version: 1\n\xff\xfe", ":2", "this is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_policy(content: str | bytes, place: str, words: str) -> None:
    error = error_of(content)
    assert str(error).startswith(f"policy.yaml{place}")
    assert words in str(error)


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    assert str(error_of(bomb)).startswith("policy.yaml:1:4: anchors")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyFileError, match="cannot be read"):
            load_policy(path)
    (tmp_path / "large.yaml").write_text(GOOD + "# " + "x" * 1_000_000)
    with pytest.raises(PolicyFileError, match="more than 64,000"):
        load_policy(tmp_path / "large.yaml")


def test_tool_names_are_checked_only_when_the_tools_are_known() -> None:
    parse_policy(GOOD.replace("[refund]", "[something_else]"))


async def test_a_file_makes_the_same_objects_as_python() -> None:
    document = read_document(GOOD)
    policy = parse_policy("checks: [hidden_characters]\n" + GOOD)
    reads, big = (rule for rule in document.rules)
    assert isinstance(policy.checks[1], FileRule)
    assert (policy.checks[1].name, policy.checks[1].kind) == (reads.name, reads.ruling)
    python = Policy(
        (on("refund", policy.checks[2].check), policy.checks[1], hidden_characters()),  # type: ignore[attr-defined]
        threshold=0.6,
    )
    assert big.tools == ["refund"]
    assert policy.digest == python.digest
    assert await policy.rule(facts(amount="100.01")) == await python.rule(facts(amount="100.01"))


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        ({"amount": "100.00"}, "gate"),
        ({"amount": "100.01"}, "review"),
        ({"amount": 101}, "review"),
        ({"amount": 99.5}, "gate"),
        ({"amount": "much"}, "review"),
        ({"amount": None}, "review"),
        ({"amount": True}, "review"),
        ({}, "review"),
    ],
)
async def test_a_condition_that_cannot_be_evaluated_is_a_review_naming_the_rule(args: dict[str, Any], kind: str) -> None:
    policy = parse_policy(GOOD + "  - {name: base, tools: [refund], ruling: gate, reason: Money.}\n")
    found = await policy.rule(facts(**args))
    assert found.kind == kind
    assert kind == "gate" or found.rulings[0].check == "big"


@pytest.mark.parametrize("condition", ["args.amount", "1", "'true'", "null", "[true]", "args"])
async def test_a_condition_that_is_neither_true_nor_false_is_a_review(condition: str) -> None:
    content = f'version: 1\nrules:\n  - {{name: odd, tools: [refund], when: "{condition}", ruling: allow, reason: x}}\n'
    found = await parse_policy(content).rule(facts(amount="5"))
    assert (found.kind, found.rulings[0].check) == ("review", "odd")
    assert "neither true nor false" in found.reasons[0]


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
tools = st.from_regex(r"[a-z][a-z_]{0,10}", fullmatch=True)
entries = st.builds(
    RuleEntry,
    name=names,
    tools=st.none() | st.lists(tools, min_size=1, max_size=3),
    when=st.sampled_from([None, "true", "tool == 'a: b'", "args.a\n == 1 // #", "double(args.a) > 1.0"]),
    ruling=st.sampled_from(KINDS),
    reason=names,
)
documents = st.builds(
    PolicyDocument,
    version=st.just(1),
    threshold=st.none() | st.floats(0, 1),
    thresholds=st.dictionaries(tools, st.floats(0, 1), max_size=2),
    checks=st.lists(st.sampled_from(["hidden_characters", "legal_choice"]), max_size=2),
    rules=st.lists(entries, min_size=1, max_size=4, unique_by=lambda entry: entry.name),
    unreviewed_irreversible=st.lists(tools, max_size=2),
)


@settings(deadline=None)
@given(documents)
def test_a_document_survives_being_written_and_read(document: PolicyDocument) -> None:
    text = as_yaml(document)
    assert read_document(text) == document
    assert parse_policy(text).digest == parse_policy(as_yaml(read_document(text))).digest


@settings(deadline=None)
@given(documents.flatmap(lambda one: st.tuples(st.just(one), st.permutations(one.rules))))
def test_the_order_of_rules_changes_nothing(both: tuple[PolicyDocument, list[RuleEntry]]) -> None:
    document, rules = both
    other = document.model_copy(update={"rules": rules})
    assert parse_policy(as_yaml(document)).digest == parse_policy(as_yaml(other)).digest


def test_every_part_of_a_rule_is_in_the_digest() -> None:
    changes = [
        ("0.6", "0.7"),
        ("reads", "looks"),
        ('"read"', '"costly"'),
        ("allow", "gate"),
        ("only", "just"),
        ("[refund]", "[hand_over]"),
    ]
    assert len({parse_policy(GOOD).digest, *(parse_policy(GOOD.replace(old, new)).digest for old, new in changes)}) == 1 + len(
        changes
    )


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        (facts("look_up_order", "read", order_id="1001"), "allow"),
        (facts("hand_over", "reversible", team="sales", note=""), "gate"),
        (facts("change_address", "reversible", order_id="1001", address="1 Mill Lane, Bath BA1 1AA"), "gate"),
        (facts("change_address", "reversible", order_id="1001", address="1 Mill\u202e Lane"), "review"),
        (facts("refund", amount="100.00"), "review"),  # no evidence, so an earlier refund cannot be ruled out
        (facts("cancel_order", "irreversible", order_id="1001"), "review"),
        (facts("send_reply", "irreversible", topic="contact", order_id=None, body="We open at nine."), "review"),
        (facts("drop_tables", None), "review"),
    ],
)
async def test_the_shops_policy(about: Facts, kind: str) -> None:
    policy = load_policy(ROOT / "tools" / "shop" / "policy.yaml", tools=SHOP)
    assert (await policy.rule(about)).kind == kind
    assert policy.threshold_for("hand_over", "reversible") is None, "what may pass is earned here, not stated"
    assert policy.threshold_for("refund", "costly") is None


@pytest.mark.parametrize(
    ("amount", "before", "kind"),
    [("100.00", "0.00", "gate"), ("100.01", "0.00", "review"), ("5.00", "10.00", "review")],
)
async def test_the_shops_refunds(amount: str, before: str, kind: str) -> None:
    evidence = f"Order 1001 is delivered; £200.00 was paid, £{before} refunded so far, £190.00 can still be refunded."
    about = Facts(
        "refund",
        {"order_id": "1001", "amount": amount, "reason": "damaged"},
        "costly",
        *("C1", "main", "shop", "t1"),
        {"text": "It broke", "evidence": evidence, "choices_legal": True},
    )
    found = await load_policy(ROOT / "tools" / "shop" / "policy.yaml", tools=SHOP).rule(about)
    assert found.kind == kind


def test_the_documented_file_loads() -> None:
    page = (ROOT / "docs" / "policy.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(version.*?)```", page, re.DOTALL)
    assert parse_policy(example, tools={**TOOLS, "look_up": []}).thresholds == {"hand_over": 0.7}


def test_ceilings_are_written_as_words() -> None:
    policy = parse_policy(GOOD + "ceilings:\n  refund: certified\n  hand_over: shadow\n", tools=TOOLS)
    assert policy.ceilings == {"refund": 2, "hand_over": 0}
    wrong = error_of(GOOD + "ceilings:\n  refund: certifed\n")
    assert wrong.line == 14 and "ceilings.refund" in wrong.problem and "allowed: shadow, supervised, certified" in wrong.problem
    assert "no tool 'refunds'" in error_of(GOOD + "ceilings:\n  refunds: certified\n").problem
