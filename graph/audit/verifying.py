"""Verifies an export of the audit log offline: hashes, links, gaps, payloads, signed heads, joins; it names the first bad record.

It reads one line after another and opens no database of ours: an export and a public key are all it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..canonical import NotCanonical
from .audit_file import FORMAT, Wrong
from .chain import FIELDS, GENESIS, payload_digest, record_hash
from .joining import Joins, Mismatch
from .signing import SignedHead, SigningError, as_head, is_signed_by, key_id

RECORD = {*FIELDS, "payload", "salt", "hash", "type"}
ROWS = ("action", "decision", "execution")

Tell = Callable[[int], None]


@dataclass(slots=True)
class Report:
    """What verifying found."""

    tenant: str = ""
    records: int = 0
    """How many records are right, from the first on."""
    erased: int = 0
    """How many of them have lost their payload to an erasure that is on record."""
    rows: int = 0
    """How many rows were compared with the records."""
    heads: int = 0
    """How many signed heads fit the chain."""
    signed_until: int = 0
    """The sequence number of the last record under a signed head; what follows, nobody has vouched for yet."""
    signatures: bool = False
    """Whether signatures were checked."""
    from_before: int = 0
    """Rows and claims of what was proposed before the log began."""
    head: str = GENESIS
    exported: dict[str, Any] = field(default_factory=dict)
    bad: str = ""
    """The first thing that is wrong; empty if nothing is."""
    bad_seq: int | None = None

    @property
    def exit_code(self) -> int:
        """0 if everything holds, else 1."""
        return 1 if self.bad else 0

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        return {"ok": not self.bad, **asdict(self)}


def verify(
    items: Iterable[dict[str, Any]],
    publics: Iterable[str] = (),
    heads: Iterator[SignedHead] | None = None,
    tell: Tell | None = None,
) -> Report:
    """Verify what an export holds, in its order.

    Args:
        items: `meta`, `head`, `event`, `action`, `decision` and `execution`, as `read_export` and `audit.exported` yield them.
        publics: the public keys that may have signed; without any, signatures are not checked.
        heads: the signed heads kept outside, in their order; those of other tenants are passed over.
        tell: told the number of each record.
    """
    checking = Checking(publics, heads, tell)
    try:
        for item in items:
            if not checking.take(item):
                break
    except Wrong as wrong:
        checking.fail(wrong)
    return checking.end()


class Checking:
    """Verifying, one item after another; see `verify`."""

    def __init__(self, publics: Iterable[str] = (), heads: Iterator[SignedHead] | None = None, tell: Tell | None = None) -> None:
        keys = {key_id(public): public for public in publics}
        self._report, self._joins = Report(signatures=bool(keys)), Joins()
        self._at: int | None = None
        self._keys, self._outside, self._tell = keys, heads, tell
        self._inside: list[SignedHead] = []
        self._next: SignedHead | None = None
        self._hash, self._has_rows, self._in_rows = GENESIS, False, False

    def take(self, item: Mapping[str, Any]) -> bool:
        """Take the next item; False if something is wrong, and nothing more needs to be taken."""
        return self._guarded(lambda: self._take(item))

    def end(self) -> Report:
        """Say that there are no more items; returns what was found."""
        self._guarded(self._end)
        self._report.from_before = self._joins.from_before
        self._joins.close()
        return self._report

    def fail(self, wrong: Wrong) -> None:
        """Say that the items themselves are broken."""
        if not self._report.bad:
            self._report.bad, self._report.bad_seq = str(wrong), wrong.seq

    def _guarded(self, step: Callable[[], None]) -> bool:
        if self._report.bad:
            return False
        try:
            step()
        except (Wrong, Mismatch) as wrong:
            self.fail(Wrong(str(wrong), wrong.seq))
        except SigningError as wrong:
            self.fail(Wrong(str(wrong)))
        return not self._report.bad

    def _take(self, item: Mapping[str, Any]) -> None:
        kind = item.get("type")
        if not self._report.tenant:
            self._meta(item)
        elif kind == "head" and not self._report.records:
            self._embedded(item)
        elif kind == "event" and not self._in_rows:
            self._event(item)
        elif kind in ROWS:
            self._row(kind, item)
        else:
            raise Wrong(f"there is something of type {kind!r} where it does not belong", self._after())

    def _meta(self, item: Mapping[str, Any]) -> None:
        if item.get("type") != "meta" or item.get("format") != FORMAT or not isinstance(item.get("tenant"), str):
            raise Wrong(f"this is no export of an audit log in the format {FORMAT}")
        self._report.tenant, self._has_rows = item["tenant"], item.get("rows") is True
        self._report.exported = {name: value for name, value in item.items() if name != "type"}
        self._advance()

    def _embedded(self, item: Mapping[str, Any]) -> None:
        head = as_head({name: value for name, value in item.items() if name != "type"})
        if head is None or head.tenant != self._report.tenant:
            raise Wrong("a signed head in the export is broken")
        self._inside.append(head)

    def _event(self, item: Mapping[str, Any]) -> None:
        seq, record = self._after(), item
        try:
            self._link(record, seq)
            self._at = seq
            self._joins.take(record)
        except (KeyError, TypeError, ValueError, AttributeError, NotCanonical) as error:
            raise Wrong(f"record {seq} is broken ({type(error).__name__}: {error})", seq) from None
        except Mismatch as wrong:
            raise Wrong(f"record {seq}: {wrong}", seq) from None
        self._hash = record["hash"]
        self._heads_at(seq)
        self._report.records, self._report.head = seq, self._hash
        self._report.erased += record["payload"] is None and record["payload_digest"] is not None
        if self._tell is not None:
            self._tell(seq)

    def _link(self, record: Mapping[str, Any], seq: int) -> None:
        if set(record) != RECORD:
            raise Wrong(f"record {seq} has fields missing or added", seq)
        if record["seq"] != seq or type(record["seq"]) is not int:
            raise Wrong(f"record {seq} is missing: record {record['seq']} stands in its place", seq)
        if record["tenant"] != self._report.tenant:
            raise Wrong(f"record {seq} belongs to another tenant", seq)
        if record["hash"] != record_hash(record):
            raise Wrong(f"record {seq} was changed: its content has another hash", seq)
        if record["previous"] != self._hash:
            raise Wrong(f"record {seq} does not follow the record before it", seq)
        payload, salt = record["payload"], record["salt"]
        if (payload is None) != (salt is None) or (payload is not None and record["payload_digest"] is None):
            raise Wrong(f"the payload of record {seq} is incomplete", seq)
        if payload is not None and record["payload_digest"] != payload_digest(salt, payload):
            raise Wrong(f"the payload of record {seq} was changed", seq)

    def _heads_at(self, seq: int) -> None:
        for head in [head for head in self._inside if head.seq == seq]:
            self._head(head)
            self._inside.remove(head)
        while self._next is not None and self._next.seq <= seq:
            self._head(self._next)
            self._advance()

    def _head(self, head: SignedHead) -> None:
        at = self._after() if self._at is None else self._at
        if head.seq != at:
            raise Wrong(f"the signed heads go backwards: {head.seq} stands after {at}", at)
        if self._keys and not is_signed_by(head, self._keys):
            raise Wrong(f"the signature of the head at record {at} fits no key that you named", at)
        if head.hash != self._hash:
            raise Wrong(f"history was rewritten: record {at} had another hash when its head was signed", at)
        self._report.heads += 1
        self._report.signed_until = at if self._keys else 0

    def _advance(self) -> None:
        self._next = next((head for head in self._outside or () if head.tenant == self._report.tenant), None)

    def _row(self, kind: str, item: Mapping[str, Any]) -> None:
        self._in_rows = True
        try:
            self._joins.row(kind, item)
        except (KeyError, TypeError) as error:
            raise Wrong(f"the row of a {kind} is broken ({type(error).__name__}: {error})") from None
        self._report.rows += 1

    def _after(self) -> int:
        return self._report.records + 1

    def _end(self) -> None:
        last = self._report.records
        if not self._report.tenant:
            raise Wrong("the export is empty")
        left = [head for head in (*self._inside, self._next) if head is not None]
        if left:
            raise Wrong(
                f"the log ends at record {last}, but a head was signed at record {left[0].seq}: its end was cut off", last + 1
            )
        if self._keys and not self._report.heads and last:
            raise Wrong("there is no signed head: nothing shows that history was not rewritten")
        self._joins.end()
        if self._has_rows:
            self._joins.rows_end()
