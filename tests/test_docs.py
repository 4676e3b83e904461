"""What the documentation says is true: its Python runs, and the files, links and tests that it names exist.

The Python blocks of a page run in order, sharing names and an empty folder; `await` may stand at the top. A comment
`<!-- setup ... -->` directly before a block is run first and not shown. Blocks marked `python no-run` are not run.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")] if page.exists())
RUN = [page for page in PAGES if "```python\n" in page.read_text(encoding="utf-8")]

BLOCK = re.compile(r"(?:<!-- setup\n(?P<setup>.*?)-->\n+)?^```python\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
FILE = re.compile(r"`((?:graph|tools|ui|evals|docs|tests)/[\w/.-]*)`")


def named(page: Path) -> str:
    """Return how a page is called in test names and messages."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the runnable parts of a page with the line they begin on."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        for part in ("setup", "code"):
            if found[part]:
                yield text.count("\n", 0, found.start(part)), found[part]


def run(page: Path) -> None:
    """Run a page's blocks in order; an error points at the page's own line."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for line, code in blocks(page):
            compiled = compile("\n" * line + code, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(compiled, names)  # the documentation is ours
            if inspect.iscoroutine(result):
                runner.run(result)


@pytest.mark.parametrize("page", RUN, ids=named)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(page)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = {link: page.parent / link for link in LINK.findall(text)}
    files = {name: ROOT / name for name in FILE.findall(text)}
    missing = [name for name, place in {**links, **files}.items() if not place.exists()]
    for file, test in TEST.findall(text):
        if test and (ROOT / file).exists() and f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8"):
            missing.append(f"{file}::{test}")
    assert not missing


def test_no_page_is_forgotten() -> None:
    assert {"docs/architecture.md", "docs/embedding.md", "docs/threat-model.md"} <= {named(page) for page in PAGES}
    assert {"docs/embedding.md"} <= {named(page) for page in RUN}
