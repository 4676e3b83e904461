"""What a decision becomes in each training format, and that no text can break a file."""

import json

import jsonschema
import pytest
from assent.evals.examples import Call, Example, offer_of
from assent.evals.exports import FORMATS, UnknownFormat, export, lines_of, rows_of, schema
from assent.graph.proposing import Offer
from hypothesis import given
from hypothesis import strategies as st

PROPOSED = {"order_id": "1001", "amount": "34.00"}
CORRECTED = {"order_id": "1001", "amount": "17.00"}
TRAINING = [name for name in FORMATS if name != "jsonl"]
OFFERS = (
    Offer("refund", "Pay money back.", {"type": "object", "properties": {"order_id": {"type": "string"}}}),
    Offer("send_reply", "Answer.", {"type": "object"}),
    Offer("cancel_order", "Cancel.", {"type": "object"}, choices=()),
)


def made(label="approve", **changes):
    accepted = {"approve": PROPOSED, "edit": CORRECTED}.get(label)
    known = dict(id="e1", text="Broken kettle", conversation=({"role": "requester", "text": "Broken kettle"},))
    known |= dict(tool="refund", args=PROPOSED, accepted=accepted, label=label, offers=OFFERS)
    return Example(**(known | changes))


def arguments(message):
    found = message["tool_calls"][0]["function"]["arguments"]
    return json.loads(found) if isinstance(found, str) else found


@pytest.mark.parametrize("name", FORMATS)
def test_the_schema_of_a_format_is_a_valid_schema(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("label", ["approve", "edit", "reject", "respond"])
def test_every_row_obeys_the_schema_of_its_format(name, label):
    example = made(label, alternative=Call("send_reply", {"topic": "late"}) if label == "reject" else None)
    rows = rows_of(example, name)
    assert rows or (name != "jsonl" and label != "edit"), "an edit teaches in every format, and jsonl leaves nothing out"
    for row in rows:
        jsonschema.validate(row, schema(name), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", TRAINING)
def test_the_schema_refuses_a_row_without_the_call_or_with_a_foreign_field(name):
    example = made("edit")
    for row in rows_of(example, name):
        for broken in ({**row, "extra": 1}, {**row, "tools": []}, {key: row[key] for key in list(row)[1:]}):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(broken, schema(name), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", ["openai-sft", "trl-sft"])
def test_only_what_a_person_accepted_is_imitated(name):
    (row,) = rows_of(made("edit"), name)
    call = row["messages"][-1] if name == "openai-sft" else row["completion"][0]
    assert arguments(call) == CORRECTED
    assert rows_of(made("reject"), name) == rows_of(made("respond"), name) == ()


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("openai-dpo", "preferred_output", "non_preferred_output"),
        ("trl-dpo", "chosen", "rejected"),
    ],
)
def test_a_pair_needs_something_better(name, better, worse):
    (edited,) = rows_of(made("edit"), name)
    assert (arguments(edited[better][0]), arguments(edited[worse][0])) == (CORRECTED, PROPOSED)
    (answered,) = rows_of(made("reject", alternative=Call("send_reply", {"topic": "late"})), name)
    assert answered[better][0]["tool_calls"][0]["function"]["name"] == "send_reply"
    assert arguments(answered[worse][0]) == PROPOSED
    for label in ("approve", "reject", "respond"):
        assert rows_of(made(label), name) == ()


@pytest.mark.parametrize("name", ["openai-dpo", "trl-dpo"])
def test_an_edit_or_a_second_attempt_that_changed_nothing_is_no_pair(name):
    assert rows_of(made("edit", accepted=PROPOSED), name) == ()
    assert rows_of(made("reject", alternative=Call("refund", PROPOSED)), name) == ()


def test_single_judgements_are_marked_desirable_or_not():
    def marks(example):
        return [(row["label"], arguments(row["completion"][0])) for row in rows_of(example, "trl-kto")]

    assert marks(made("approve")) == [(True, PROPOSED)]
    assert marks(made("reject")) == [(False, PROPOSED)]
    assert marks(made("edit")) == [(True, CORRECTED), (False, PROPOSED)]
    assert marks(made("edit", accepted=PROPOSED)) == [(True, PROPOSED)]
    assert marks(made("respond")) == []


@pytest.mark.parametrize("name", TRAINING)
def test_a_call_to_a_tool_that_was_not_offered_is_no_training_example(name):
    assert rows_of(made("edit", offers=OFFERS[1:]), name) == ()
    assert rows_of(made("edit", tool="cancel_order"), name) == ()


def test_the_prompt_ends_with_what_the_agent_had_to_answer():
    turns = [
        {"role": "requester", "text": "Hello"},
        {"role": "requester", "text": "Broken kettle"},
        {"role": "agent", "text": "Let me look."},
        {"role": "action", "text": "order 1001: delivered"},
        {"role": "agent", "text": "I will refund it."},
    ]
    (row,) = rows_of(made(conversation=tuple(turns)), "trl-sft")
    assert row["prompt"] == [
        {"role": "user", "content": "Hello\n\nBroken kettle"},
        {"role": "assistant", "content": "Let me look."},
        {"role": "user", "content": "Result of an action: order 1001: delivered"},
    ]


def test_the_requesters_message_is_in_the_prompt_even_when_the_conversation_is_empty():
    (row,) = rows_of(made(conversation=()), "openai-sft")
    assert row["messages"][0] == {"role": "user", "content": "Broken kettle"}


def test_an_unknown_format_is_named_with_the_known_ones():
    with pytest.raises(UnknownFormat, match="openai-sft"):
        rows_of(made(), "csv")


DANGEROUS = '\n\r\u2028\u2029\x85\x0b\x0c\x1c"\\{}\ud800\udfff\u202e\x00'
hostile = st.text(st.characters() | st.sampled_from(DANGEROUS))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | hostile,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(hostile, inner, max_size=2),
    max_leaves=4,
)


def joined(value):
    """Two surrogates side by side are one character to every JSON reader."""
    return json.loads(json.dumps(value))


@given(text=hostile, other=hostile, args=st.dictionaries(hostile, plain, max_size=2))
def test_no_text_can_add_a_line_or_leave_its_string(text, other, args):
    turns = ({"role": "requester", "text": text}, {"role": "action", "text": other})
    example = made("edit", text=text, conversation=turns, args=args, reason=other, provenance={other: text})
    for name in FORMATS:
        for written in lines_of(example, name):
            assert written.isascii() and written.endswith("\n")
            assert written.splitlines() == [written[:-1]]
            assert json.loads(written).keys() == rows_of(example, name)[0].keys()
    (whole,) = map(json.loads, lines_of(example, "jsonl"))
    assert [whole["text"], whole["args"], whole["conversation"]] == joined([text, args, list(turns)])


@given(text=hostile)
def test_training_files_hold_no_half_characters_that_strict_readers_refuse(text):
    example = made("edit", text=text, conversation=(), accepted={text: text})
    for name in TRAINING:
        for row in rows_of(example, name):
            json.dumps(row, ensure_ascii=False).encode("utf-8")
            json.loads(next(lines_of(example, name))).keys()


async def test_an_export_of_a_real_store_streams_valid_lines(desk):
    await desk.decide("approve", PROPOSED)
    await desk.decide("edit", PROPOSED, CORRECTED, text="Two\nlines\u2028and three")
    await desk.decide("reject", PROPOSED, thread="9")
    await desk.decide("approve", {"topic": "late"}, tool="send_reply", thread="9")
    await desk.decide("respond", PROPOSED)
    await desk.decide("approve", PROPOSED, tenant="other")
    expected = {"jsonl": 5, "openai-sft": 3, "openai-dpo": 2, "trl-sft": 3, "trl-dpo": 2, "trl-kto": 5}
    for name in FORMATS:
        lines = [line async for line in export(desk.store, "main", name, clock=lambda: desk.now)]
        assert len(lines) == expected[name], name
        for line in lines:
            jsonschema.validate(json.loads(line), schema(name), cls=jsonschema.Draft202012Validator)


async def test_an_export_in_an_unknown_format_fails_before_anything_is_written(desk):
    with pytest.raises(UnknownFormat):
        await anext(export(desk.store, "main", "csv"))


def test_a_stored_offer_without_choices_is_free():
    assert offer_of({"name": "refund"}) == Offer("refund", "", {"type": "object"})
