"""The rooms and their arrows, read from the source: who may import whom, how big a module is, what every name says of itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("tools", "graph", "ui", "evals")
ARROWS = {
    "tools": {"tools"},
    "graph": {"graph", "tools"},
    "ui": {"ui", "graph", "tools", "evals"},
    "evals": {"evals", "graph", "tools"},
}
"""Which rooms a room may import; a room's functions are public to the rooms after it, never the other way."""
LONGEST = 300

MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")) + sorted(ROOT.glob("__*__.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, at any depth; relative imports as `assent.room...`."""
    package = ["assent", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            case ast.ImportFrom():
                base = [*package[: len(package) - node.level + 1], *([node.module] if node.module else [])]
                yield from (".".join([*base, alias.name]) for alias in node.names)


def importing(*wanted: str) -> set[str]:
    """Return the modules that import one of these top-level packages."""
    return {named(path) for path in MODULES if any(name.split(".")[0] in wanted for name in imports(path))}


def test_there_is_something_to_read():
    assert len(MODULES) > 50 and {path.relative_to(ROOT).parts[0] for path in MODULES} >= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_before_it(room):
    wrong = [
        (named(path), name)
        for path in (ROOT / room).rglob("*.py")
        for name in imports(path)
        if name.startswith("assent.") and name.split(".")[1] in ROOMS and name.split(".")[1] not in ARROWS[room]
    ]
    assert wrong == []


def test_only_the_web_desk_knows_the_web():
    assert {name for name in importing("gradio", "fastapi", "starlette") if not name.startswith("ui/")} == set()


def test_only_the_store_knows_the_rows_library():
    assert {name for name in importing("sqlmodel") if not name.startswith("graph/store/")} == set()


def test_only_two_modules_build_state_machines():
    found = {
        named(path)
        for path in MODULES
        if any(name.startswith("langgraph.") and name.endswith(".StateGraph") for name in imports(path))
    }
    assert found == {"graph/gate.py", "graph/workflow.py"}


@pytest.mark.parametrize("statement", ["import assent", "import assent; assent.Policy, assent.action, assent.Approve, assent.open"])
def test_importing_assent_is_cheap(statement):
    heavy = ("gradio", "fastapi", "scipy", "sklearn", "xllamacpp", "openai", "torch", "transformers")
    rows = ("sqlmodel", "sqlalchemy", "langgraph", "numpy") if statement == "import assent" else ("sqlmodel", "sqlalchemy")
    code = f"import sys; {statement}; print([name for name in {heavy + rows!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_a_desk_loads_no_web_no_statistics_and_no_model(tmp_path):
    heavy = ("gradio", "fastapi", "starlette", "scipy", "sklearn", "xllamacpp", "openai")
    code = f"""
import asyncio, sys, assent
async def main():
    async with assent.open("sqlite:///{tmp_path}/desk.db") as desk:
        desk.agent(tools=[], policy=assent.Policy(()))
asyncio.run(main())
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public classes, functions and methods, but not what a function keeps to itself, nor overloads."""
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if any("overload" in ast.unparse(one) for one in node.decorator_list):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from public(node.body)


def test_every_public_name_says_what_it_is():
    silent = []
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        silent += [] if ast.get_docstring(tree) else [named(path)]
        silent += [f"{named(path)}:{node.name}" for node in public(tree.body) if not ast.get_docstring(node)]
    assert silent == []


def test_no_module_is_longer_than_can_be_read():
    assert {named(path): count for path in MODULES if (count := len(path.read_text("utf-8").splitlines())) > LONGEST} == {}


def test_every_package_is_in_the_distribution():
    told = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = {".".join(["assent", *path.parent.relative_to(ROOT).parts]) for path in MODULES if path.name == "__init__.py"}
    assert {package for package in packages if f'"{package}"' not in told} == set()
    folders = {path.parent for path in MODULES}
    assert {named(folder) for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_no_file_speaks_of_the_machine_it_was_written_on():
    machine = re.compile(
        "|".join([r"(?<![\w.])/" + "work/", r"(?<![\w.])/" + r"home/\w", r"(?<![\w.])/" + r"root\b", r"(?<!\w)/" + "tmp/"])
    )
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".ini", ".js", ".css", ".html", ".sh", ".mako", ".txt", ""}
    places = [ROOT / name for name in (*ROOMS, "tests", "docs", "bench", ".ci")]
    files = [path for place in places if place.exists() for path in place.rglob("*") if path.is_file()] + [
        p for p in ROOT.iterdir() if p.is_file() and p.name != ".git"
    ]
    found = [
        f"{named(path)}:{number}"
        for path in files
        if path.suffix in kinds and "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if machine.search(line)
    ]
    assert found == []


def test_a_share_in_per_cent_is_written_in_one_way():
    kinds = {".py", ".js", ".md", ".yaml"}
    files = [path for name in (*ROOMS, "docs") for path in (ROOT / name).rglob("*") if path.suffix in kinds]
    apart = re.compile(r"[0-9}][ \u00a0\u202f]%(?![\w({])")
    found = [
        f"{named(path)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if apart.search(line)
    ]
    assert found == [], "write 4.7%, without a space"
