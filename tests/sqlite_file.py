"""A SQLite file with this version's tables, made once for a process and copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import sqlalchemy as sa
from assent.graph.store import migrate


@cache
def _template() -> Path:
    made = Path(mkdtemp(prefix="assent-template-")) / "desk.db"
    asyncio.run(migrate.upgrade(sa.make_url(f"sqlite:///{made}")))
    return made


def fresh(folder: Path, name: str = "desk.db") -> str:
    """Put a database with this version's tables into a folder; returns its address."""
    return f"sqlite:///{shutil.copy(_template(), folder / name)}"
