"""Three processes open one empty database at the same moment: it is migrated once, and all of them can work."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from assent.graph.opening import open_desk
from assent.graph.store.migrate import versions
from oracle import Found
from processes import barrier, together


async def opens(url: str, gate: Any, answer: Any) -> None:
    """Open the desk with the others and tell how many people it knows."""
    gate.wait(60)
    async with open_desk(url) as desk:
        answer.send(await desk.users.get("nobody") is None)


def migrate_together(database: str, size: int) -> Found:
    """Open `size` empty databases with three processes each; a database that is not at this version counts as lost."""
    found = Found()
    for index in range(size):
        if database == "postgresql":
            import postgres

            with postgres.fresh(empty=True) as url:
                _open(found, url, index)
        else:
            with tempfile.TemporaryDirectory(prefix="assent-faults-") as folder:
                _open(found, f"sqlite:///{Path(folder)}/desk.db", index)
    return found


def _open(found: Found, url: str, index: int) -> None:
    import sqlalchemy as sa

    gate = barrier(3)
    told = together(opens, [(url, gate)] * 3)
    engine = sa.create_engine(sa.make_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg"))
    with engine.connect() as connection:
        at = [row[0] for row in connection.exec_driver_sql("SELECT version_num FROM alembic_version")]
    engine.dispose()
    if told != [True] * 3 or at != versions()[-1:]:
        found.lost.append(f"database {index}: {told}, {at}")
