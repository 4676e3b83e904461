"""Triggers that keep the record: decisions and events are added only, what was proposed and what ran changes in named ways only.

A later migration that adds a column to one of these tables makes its triggers anew, naming the column; a test fails until it does.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

DECISIONS = (
    "sequence", "id", "tenant", "review", "action", "version", "type", "actor", "role", "shown_digest", "digest", "args", "reason",
    "message", "seen_ms", "key", "withdraws", "effective_at", "valid_until", "created_at",
)  # fmt: skip
EVENTS = (
    "tenant", "seq", "at", "kind", "actor", "subject", "body", "payload", "salt", "payload_digest", "previous", "hash",
)  # fmt: skip
ACTIONS = (
    "id", "tenant", "thread", "agent", "requester", "tool", "tool_digest", "args", "digest", "consequence", "title", "verdict",
    "reasons", "readings", "confidence", "threshold", "evidence", "conversation", "precedents", "choices", "args_schema",
    "description", "provenance", "secrets", "created_at", "erased_at",
)  # fmt: skip
EXECUTIONS = (
    "action", "tenant", "thread", "tool", "status", "claimed_by", "claimed_at", "finished_at", "result", "settled_by", "note",
    "attempts", "undo_until", "undo_status", "undo_by", "undo_at", "undo_claimed_by", "undo_result",
)  # fmt: skip
UNDO = {"undo_until", "undo_status", "undo_by", "undo_at", "undo_claimed_by", "undo_result"}
EXAMPLES = ("sequence", "id", "tenant", "decision", "action", "agent", "tool", "label", "actor", "role", "created_at")
REVIEWS = ("number", "id", "tenant", "action", "thread", "tool", "created_at")

REFUSE = """
CREATE FUNCTION assent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def upgrade() -> None:
    """Add the triggers; rows that are there stay as they are."""
    if _is_postgresql():
        op.execute(REFUSE)
    for table, said in (
        ("decisions", "decisions are added, never changed or deleted"),
        ("events", "events are added, never changed or deleted"),
        ("actions", "an action stays as it was proposed and ruled on"),
        ("executions", "an execution changes in named ways only and is never deleted"),
        ("examples", "an example keeps what it was made of and is never deleted"),
        ("reviews", "a closed review stays closed, and no review is deleted"),
        ("heads", "the head of the audit chain only moves on"),
    ):
        _trigger(table, "UPDATE", said, f"NOT COALESCE({_allowed(table)}, FALSE)")
        _trigger(table, "DELETE", said)
        if _is_postgresql():
            op.execute(
                f"CREATE TRIGGER {table}_kept_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
                f"EXECUTE FUNCTION assent_refuse('{said}')"
            )
    if not _is_postgresql():  # INSERT OR REPLACE deletes without firing the trigger on DELETE
        there = "SELECT 1 FROM decisions WHERE id = NEW.id OR sequence = NEW.sequence"
        _trigger("decisions", "INSERT", "this decision is there already", f"EXISTS ({there})")
        there = "SELECT 1 FROM events WHERE tenant = NEW.tenant AND seq = NEW.seq"
        _trigger("events", "INSERT", "this event is there already", f"EXISTS ({there})")


def _allowed(table: str) -> str:
    """Return when an UPDATE of a row may pass, as SQL over OLD and NEW."""
    match table:
        case "decisions":
            return _same(
                DECISIONS, but={"args", "reason", "message"}, when="NEW.args IS NULL AND NEW.reason = '' AND NEW.message = ''"
            )
        case "events":
            return _same(EVENTS, but={"payload", "salt"}, when="NEW.payload IS NULL AND NEW.salt IS NULL")
        case "actions":
            return f"({_same(ACTIONS)} OR {_erased_action()})"
        case "executions":
            return _execution()
        case "examples":
            return _same(EXAMPLES)
        case "heads":
            return _same(("tenant",), when="NEW.seq >= OLD.seq")
    back = "(OLD.status IN ('approved','rejected','answered') AND NEW.status IN ('pending','expired','superseded','cancelled'))"
    moves = f"(NEW.status = OLD.status OR OLD.status = 'pending' OR {back})"
    return _same(REVIEWS, when=f"NEW.version >= OLD.version AND {moves}")


def _erased_action() -> str:
    lists = ("reasons", "readings", "evidence", "conversation", "precedents")
    empty = " AND ".join(f"NEW.{name} = '[]'" for name in lists)
    when = f"OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.args = '{{}}' AND NEW.choices IS NULL AND {empty}"
    return _same(ACTIONS, but={*lists, "args", "choices", "erased_at"}, when=when)


def _execution() -> str:
    """Return the ways of an execution: reclaimed, finished, settled, undone, erased."""
    claim = {"claimed_by", "claimed_at"}
    told = {"status", "finished_at", "result", "settled_by", "note", "attempts", *UNDO}
    moves = (
        "((OLD.status = 'claimed' AND NEW.status IN ('succeeded','failed','unknown'))"
        " OR (OLD.status = 'unknown' AND NEW.status IN ('succeeded','failed'))"
        " OR (OLD.status = 'succeeded' AND NEW.status = 'undone'))"
    )
    ways = (
        _same(EXECUTIONS, but={*claim, *told} - {"status"}, when="OLD.status = 'claimed'"),
        _same(EXECUTIONS, but=told, when=moves),
        _same(EXECUTIONS, but=UNDO, when="OLD.status <> 'claimed'"),
        _same(
            EXECUTIONS,
            but={"result", "note", "undo_result"},
            when="OLD.status <> 'claimed' AND NEW.result IS NULL AND NEW.note = '' AND NEW.undo_result IS NULL",
        ),
    )
    return f"({' OR '.join(ways)})"


def _same(columns: tuple[str, ...], but: set[str] | None = None, when: str = "") -> str:
    unchanged = "IS NOT DISTINCT FROM" if _is_postgresql() else "IS"
    kept = [f'NEW."{name}" {unchanged} OLD."{name}"' for name in columns if name not in (but or set())]
    return f"({' AND '.join([*kept, *([when] if when else [])])})"


def _trigger(table: str, on: str, said: str, when: str = "") -> None:
    name = f"{table}_kept_on_{on.lower()}"
    if _is_postgresql():
        if_so = f"WHEN ({when}) " if when else ""
        op.execute(f"CREATE TRIGGER {name} BEFORE {on} ON {table} FOR EACH ROW {if_so}EXECUTE FUNCTION assent_refuse('{said}')")
        return
    if_so = f"WHEN {when} " if when else ""
    op.execute(f"CREATE TRIGGER {name} BEFORE {on} ON {table} FOR EACH ROW {if_so}BEGIN SELECT RAISE(ABORT, '{said}'); END")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
