"""The diagrams in the documentation are what the code draws; `python tests/test_diagrams.py` writes them anew."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import assent
import pytest
from assent.graph.authority.ledger import Ledger
from assent.graph.clock import utc_now
from assent.graph.gate import call_graph
from assent.graph.store.session import Store
from assent.graph.wiring import Gate
from assent.graph.workflow import agent_graph

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- diagram:(\w+) -->\n)(.*?)(<!-- /diagram -->)", re.DOTALL)


def drawings() -> dict[str, str]:
    """Return what the code draws now, by the name in the marker."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Store(f"sqlite:///{folder}/none.db"), utc_now)
        gate = Gate(
            agent="assent",
            tenant="main",
            ledger=ledger,
            tools={},
            schemas={},
            digests={},
            codes={},
            policy=assent.Policy(()),
            clock=utc_now,
        )
        graphs: dict[str, Any] = {"call": call_graph(gate), "agent": agent_graph(gate)}
        return {name: graph.compile().get_graph().draw_mermaid() for name, graph in graphs.items()}


def fenced(drawing: str) -> str:
    """Return a drawing as a Markdown block."""
    return f"```mermaid\n{drawing.strip()}\n```\n"


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_pages_show_the_graphs_as_they_are(page: str) -> None:
    if not (ROOT / page).exists():
        pytest.skip(f"there is no {page}")
    drawn = drawings()
    for _, name, shown, _ in BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        assert shown == fenced(drawn[name]), f"{page}: the diagram {name!r} is out of date"


def test_the_architecture_shows_both_graphs() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert [name for _, name, _, _ in BLOCK.findall(text)] == ["call", "agent"]


def write() -> None:
    """Put the current drawings between the markers of both pages."""
    drawn = drawings()
    for page in (ROOT / "README.md", ROOT / "docs/architecture.md"):
        if page.exists():
            text = page.read_text(encoding="utf-8")
            page.write_text(BLOCK.sub(lambda found: f"{found[1]}{fenced(drawn[found[2]])}{found[4]}", text), encoding="utf-8")


if __name__ == "__main__":
    write()
