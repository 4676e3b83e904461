"""Signed heads of the audit chain: ed25519 (RFC 8032) over sequence and hash, kept as JSON Lines in a file outside the database.

Who owns the database can rewrite a chain and every row, but not what was signed before with a key they do not have.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..canonical import VERSION, NotCanonical, canonical
from ..errors import AssentError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "ed25519:"
NO_CRYPTOGRAPHY = "Signing needs a package: install the extra, as in pip install 'assent[audit]'."


class SigningError(AssentError):
    """A key or the file of signed heads cannot be used."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The end of a tenant's chain at one moment, vouched for by a key that is not in the database."""

    tenant: str
    seq: int
    hash: str
    at: str
    """When it was signed, ISO 8601 in UTC."""
    key: str
    """The key's id; see `key_id`."""
    signature: str
    """Base64."""

    def as_json(self) -> dict[str, Any]:
        """Return the head as one line of the file holds it."""
        return asdict(self)


class PrivateKey:
    """A key that signs heads."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PREFIX + base64.b64encode(key.public_key().public_bytes_raw()).decode()

    def sign(self, tenant: str, seq: int, hash: str, at: str) -> SignedHead:
        """Sign the end of a chain."""
        name = key_id(self.public)
        signature = self._key.sign(_signed(tenant, seq, hash, at, name))
        return SignedHead(tenant, seq, hash, at, name, base64.b64encode(signature).decode())


def make_key(path: Path) -> PrivateKey:
    """Make a key and write it to a new file that only its owner reads; raises SigningError if the file is there."""
    serialization, ed25519 = _cryptography()
    key = ed25519.Ed25519PrivateKey.generate()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SigningError(f"The file {path} is there already, and a key is never overwritten; name another one.") from None
    except OSError as error:
        raise SigningError(f"The key cannot be written to {path}: {error.strerror}.") from None
    with os.fdopen(file, "wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    return PrivateKey(key)


def read_key(path: Path) -> PrivateKey:
    """Read a private key; raises SigningError for one that others can read, too."""
    serialization, ed25519 = _cryptography()
    try:
        if path.stat().st_mode & 0o077:
            raise SigningError(f"The key {path} can be read by others: chmod 600 {path}.")
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SigningError(f"The key {path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise SigningError(f"{path} holds no private key without a password; make one with `assent audit keygen`.") from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SigningError(f"The key {path} is no ed25519 key; make one with `assent audit keygen`.")
    return PrivateKey(key)


def public_key(text: str) -> str:
    """Return a public key in its one form, given itself or a file that holds it; raises SigningError."""
    found = text.strip()
    if not found.startswith(PREFIX):
        try:
            found = Path(found).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise SigningError("A public key is ed25519:BASE64, as keygen printed it, or a file that holds that.") from None
    try:
        if len(base64.b64decode(found.removeprefix(PREFIX), validate=True)) == 32 and found.startswith(PREFIX):
            return found
    except ValueError:
        pass
    raise SigningError("A public key is ed25519: and 32 bytes in Base64, as keygen printed it.")


def key_id(public: str) -> str:
    """Return what a key is called in signed heads: the start of its SHA-256."""
    return hashlib.sha256(public.encode()).hexdigest()[:16]


def is_signed_by(head: SignedHead, publics: Mapping[str, str]) -> bool:
    """Tell whether a head was signed by one of these keys, given by id."""
    public = publics.get(head.key)
    if public is None:
        return False
    from cryptography.exceptions import InvalidSignature

    _, ed25519 = _cryptography()
    key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix(PREFIX)))
    try:
        key.verify(base64.b64decode(head.signature, validate=True), _signed(head.tenant, head.seq, head.hash, head.at, head.key))
    except (InvalidSignature, ValueError, NotCanonical):
        return False
    return True


def append(path: Path, head: SignedHead) -> None:
    """Add a signed head to the file; it is on disk when this returns. Raises SigningError."""
    line = json.dumps(head.as_json(), separators=(",", ":")) + "\n"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        with os.fdopen(file, "r+b") as out:
            torn = out.seek(0, os.SEEK_END) > 0 and os.pread(out.fileno(), 1, out.tell() - 1) != b"\n"
            out.write((b"\n" if torn else b"") + line.encode())
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise SigningError(f"The signed head cannot be written to {path}: {error.strerror}.") from None


def read_heads(path: Path, tenant: str | None = None) -> Iterator[SignedHead]:
    """Yield the signed heads of a file in its order, of one tenant if named; raises SigningError for a line that is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                head = as_head(_parsed(line))
                if head is None:
                    raise SigningError(f"Line {number} of {path} is no signed head.")
                if tenant in (None, head.tenant):
                    yield head
    except (OSError, UnicodeDecodeError) as error:
        raise SigningError(f"The file of signed heads {path} cannot be read: {error}.") from None


def as_head(value: Any) -> SignedHead | None:
    """Return a signed head from plain JSON; None if it is none."""
    names = SignedHead.__slots__
    if not isinstance(value, dict) or set(value) != set(names):
        return None
    texts = all(isinstance(value[name], str) for name in names if name != "seq")
    return SignedHead(**value) if texts and type(value["seq"]) is int else None


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _signed(tenant: str, seq: int, hash: str, at: str, key: str) -> bytes:
    return VERSION + canonical(["head", tenant, seq, hash, at, key])


def _cryptography() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise SigningError(NO_CRYPTOGRAPHY) from None
    return serialization, ed25519
