"""What verifying remembers from one record to the next: verdicts, approvals, claims, erasures; on disk, so that memory stays small.

It follows the events alone and asks of every claim: did a verdict, or enough distinct people who did not take it back, let it?
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

TABLES = """
CREATE TABLE acts (action TEXT PRIMARY KEY, seq INT, verdict TEXT, digest TEXT, quorum INT, second INT, thread TEXT, requester TEXT,
                   status TEXT, closed TEXT, seen INT DEFAULT 0, ran INT DEFAULT 0);
CREATE TABLE said (action TEXT, actor TEXT, id TEXT, type TEXT, digest TEXT, effective TEXT, until TEXT,
                   PRIMARY KEY (action, actor));
CREATE INDEX said_id ON said (id);
CREATE TABLE facts (id TEXT PRIMARY KEY, seq INT, told TEXT, seen INT DEFAULT 0);
CREATE TABLE erased (seq INT PRIMARY KEY);
"""

NEXT = {
    "claimed": {""},
    "succeeded": {"claimed", "unknown"},
    "failed": {"claimed", "unknown"},
    "unknown": {"claimed"},
    "reclaimed": {"claimed"},
    "retried": {"claimed"},
    "undone": {"succeeded"},
}
"""Which status an execution must be in before each of its events."""

SHUT = ("review.expired", "review.superseded", "review.cancelled", "hold.vetoed")
"""After these nothing of the action may start, unless it was decided anew."""

DECIDED = ("id", "review", "version", "role", "shown_digest", "digest", "withdraws", "effective_at")
"""What the row of a decision and its event say alike, besides action, type and actor."""


class Mismatch(Exception):
    """A record that does not fit what came before it; `seq` is its number where another one than the last is meant."""

    def __init__(self, why: str, seq: int | None = None) -> None:
        self.seq = seq
        super().__init__(why)


class Joins:
    """The state of a chain at the record that was taken last."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a private file that is gone when it is closed
        self._db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000; BEGIN;" + TABLES)
        self.from_before = 0
        """Claims and rows of what was proposed before the log began."""
        self._began = ""

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next record; raises Mismatch, KeyError, TypeError."""
        kind, body = record["kind"], record["body"]
        self._began = self._began or record["at"]
        if record["payload_digest"] is not None and record["payload"] is None:
            self._db.execute("INSERT INTO erased VALUES (?)", (record["seq"],))
        if kind == "verdict":
            self._verdict(record, body)
        elif kind.startswith("decision."):
            self._decision(record, kind.removeprefix("decision."), body)
        elif kind == "execution.claimed":
            self._claim(record, body)
        elif kind == "execution.presumed":
            self._moved(record["subject"], "claimed")
            self._moved(record["subject"], "unknown")
        elif kind.startswith("execution.") or kind == "undo.succeeded":
            self._moved(record["subject"], "undone" if kind == "undo.succeeded" else kind.removeprefix("execution."))
        elif kind == "erased":
            self._erased(body)
        elif kind in SHUT:
            self._shut(record["subject"], kind)
        if kind.startswith("review.") and isinstance(body.get("quorum"), int):
            self._db.execute("UPDATE acts SET quorum = ? WHERE action = ?", (body["quorum"], record["subject"]))

    def _verdict(self, record: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        requester = (record["payload"] or {}).get("requester")
        values = (record["subject"], record["seq"], body["verdict"], body["digest"], body.get("quorum", 1))
        second, thread = bool(body.get("second_for_edits")), body["thread"]
        try:
            self._db.execute("INSERT INTO acts VALUES (?,?,?,?,?,?,?,?,'','',0,0)", (*values, second, thread, requester))
        except sqlite3.IntegrityError:
            raise Mismatch(f"the action {record['subject']} was ruled on before") from None

    def _decision(self, record: Mapping[str, Any], type: str, body: Mapping[str, Any]) -> None:
        told = [record["subject"], type, record["actor"], *(body.get(name) for name in DECIDED)]
        try:
            self._db.execute(
                "INSERT INTO facts (id, seq, told) VALUES (?, ?, ?)",
                (body["id"], record["seq"], json.dumps(told)),
            )
        except sqlite3.IntegrityError:
            raise Mismatch(f"the decision {body['id']} is on record twice") from None
        if type == "withdrawn":
            self._db.execute("DELETE FROM said WHERE id = ?", (body.get("withdraws"),))
            return
        values = (
            record["subject"],
            record["actor"],
            body["id"],
            type,
            body["digest"],
            body["effective_at"],
            body.get("valid_until"),
        )
        self._db.execute("INSERT OR REPLACE INTO said VALUES (?,?,?,?,?,?,?)", values)

    def _claim(self, record: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        action = record["subject"]
        known = self._db.execute(
            "SELECT verdict, digest, quorum, second, requester, status, closed FROM acts WHERE action = ?", (action,)
        ).fetchone()
        if known is None:
            self._unknown_before(action, body)
            return
        verdict, digest, quorum, second, requester, status, closed = known
        if status:
            raise Mismatch(f"the action {action} was started before: it is {status}")
        if closed:
            raise Mismatch(f"the action {action} was started after {closed}")
        self._db.execute("UPDATE acts SET status = 'claimed' WHERE action = ?", (action,))
        if verdict == "allow" and body["digest"] == digest:
            return
        if verdict != "review":
            raise Mismatch(f"no verdict lets this digest of the action {action} run")
        needed = max(quorum, 1, 2 if second and body["digest"] != digest else 1)
        behind = self._behind(action, body["digest"], record["at"], requester)
        if behind < needed:
            raise Mismatch(f"{behind} of {needed} people stand behind what was started of the action {action}")

    def _behind(self, action: str, digest: str, at: str, requester: str | None) -> int:
        query = """SELECT count(*) FROM said WHERE action = ? AND digest = ? AND type IN ('approve', 'edit') AND effective <= ?
                   AND (until IS NULL OR until > ?) AND actor IS NOT ?"""
        return int(self._db.execute(query, (action, digest, at, at, requester)).fetchone()[0])

    def _unknown_before(self, action: str, body: Mapping[str, Any]) -> None:
        if not self._is_older(body.get("proposed_at")):
            raise Mismatch(f"no verdict on the action {action} is on record before it was started")
        self.from_before += 1
        self._db.execute("INSERT INTO acts (action, verdict, status, closed) VALUES (?, 'older', 'claimed', '')", (action,))

    def _is_older(self, at: Any) -> bool:
        return isinstance(at, str) and at < self._began

    def _moved(self, action: str, status: str) -> None:
        if status not in NEXT:
            return
        known = self._db.execute("SELECT status FROM acts WHERE action = ?", (action,)).fetchone()
        if known is None:
            return  # it was started before the log began
        if known[0] not in NEXT[status]:
            raise Mismatch(f"the execution of {action} is {status}, and was {known[0] or 'never started'}")
        if status not in ("reclaimed", "retried"):
            self._db.execute("UPDATE acts SET status = ? WHERE action = ?", (status, action))

    def _shut(self, action: str, kind: str) -> None:
        self._db.execute("DELETE FROM said WHERE action = ?", (action,))
        if kind == "hold.vetoed":
            self._db.execute("UPDATE acts SET closed = 'a veto' WHERE action = ?", (action,))

    def _erased(self, body: Mapping[str, Any]) -> None:
        for first, last in body["events"]:
            self._db.execute("DELETE FROM erased WHERE seq BETWEEN ? AND ?", (first, last))

    def end(self) -> None:
        """Check what only the end of the chain can tell; raises Mismatch."""
        (missing,) = self._db.execute("SELECT min(seq) FROM erased").fetchone()
        if missing is not None:
            raise Mismatch(f"the payload of record {missing} is missing, and no erasure of it is on record", missing)

    def row(self, kind: str, row: Mapping[str, Any]) -> None:
        """Compare a row of the database with the events; raises Mismatch, KeyError, TypeError."""
        if kind == "decision":
            self._decision_row(row)
            return
        known = self._db.execute("SELECT verdict, digest, status, seq FROM acts WHERE action = ?", (row["id"],)).fetchone()
        if known is None or known[0] == "older":
            self._older_row(kind, row)
        elif kind == "execution":
            if row["status"] != known[2]:
                found = f"{row['status']} in its row, and {known[2] or 'never started'} on record"
                raise Mismatch(f"the execution of {row['id']} is {found}", known[3])
            self._db.execute("UPDATE acts SET ran = 1 WHERE action = ?", (row["id"],))
        elif (row["verdict"], row["digest"]) != (known[0], known[1]) or row["recomputed"] not in (row["digest"], None):
            raise Mismatch(f"the row of the action {row['id']} is not what record {known[3]} says of it", known[3])
        else:
            self._db.execute("UPDATE acts SET seen = 1 WHERE action = ?", (row["id"],))

    def _older_row(self, kind: str, row: Mapping[str, Any]) -> None:
        if not self._is_older(row["created_at"]):
            raise Mismatch(f"the row of the {kind} {row['id']} is not on record")
        self.from_before += 1

    def _decision_row(self, row: Mapping[str, Any]) -> None:
        known = self._db.execute("SELECT seq, told FROM facts WHERE id = ?", (row["id"],)).fetchone()
        if known is None:
            self._older_row("decision", row)
            return
        seq, told = known
        same = json.loads(told) == [row["action"], row["decision"], row["actor"], *(row.get(name) for name in DECIDED)]
        if not same or row["recomputed"] not in (row["digest"], None):
            raise Mismatch(f"the row of the decision {row['id']} is not what record {seq} says of it", seq)
        self._db.execute("UPDATE facts SET seen = 1 WHERE id = ?", (row["id"],))

    def rows_end(self) -> None:
        """Check that nothing on record lacks its row; raises Mismatch."""
        lacking = (
            ("decision", "SELECT id, seq FROM facts WHERE seen = 0"),
            ("action", "SELECT action, seq FROM acts WHERE seen = 0 AND verdict != 'older'"),
            ("execution", "SELECT action, seq FROM acts WHERE ran = 0 AND status != '' AND verdict != 'older'"),
        )
        for kind, query in lacking:
            gone = self._db.execute(f"{query} ORDER BY seq LIMIT 1").fetchone()
            if gone is not None:
                raise Mismatch(f"the {kind} {gone[0]} of record {gone[1]} has no row any more", gone[1])
