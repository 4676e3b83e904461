"""Builds the wheel, installs it into a fresh environment and uses it there, so that no sub-package or data file is forgotten."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SMOKE = """
import asyncio, importlib, pkgutil, sys, tempfile, pathlib
import assent
for module in pkgutil.walk_packages(assent.__path__, "assent."):
    if "migrations.versions" in module.name or module.name.endswith((".env", "__main__", ".serving")):
        continue
    importlib.import_module(module.name)
assert "site-packages" in assent.__file__, assent.__file__
from assent.tools.shop.messages import packaged_messages
assert len(packaged_messages()) >= 400
async def main():
    with tempfile.TemporaryDirectory() as folder:
        async with assent.open(f"sqlite:///{pathlib.Path(folder) / 'desk.db'}") as desk:
            await desk.users.add("ada", role="operator")
            assert await desk.pending("ada") == []
asyncio.run(main())
sys.modules["psycopg"] = None  # as where the extra is not installed
async def without_the_extra():
    try:
        async with assent.open("postgresql://somebody@localhost/desk"):
            raise SystemExit("opened PostgreSQL without a driver")
    except assent.AssentError as error:
        assert "assent[postgres]" in str(error), error
asyncio.run(without_the_extra())
print("the wheel works: every module imports, data and migrations are inside")
"""


def main() -> int:
    """Build, install, use; the environment borrows the dependencies that are installed here."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wheel = next(out.glob("*.whl"))
        venv.create(out / "fresh", with_pip=True)
        python = out / "fresh" / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "-q", "--no-deps", str(wheel)]
        subprocess.run(install, check=True)
        borrowed = next(Path(sys.prefix).glob("lib/python*/site-packages"))
        (next((out / "fresh").glob("lib/python*/site-packages")) / "borrowed.pth").write_text(str(borrowed))
        # the editable install of this checkout lies in the borrowed folder too; the wheel's own files come first
        done = subprocess.run([str(python), "-c", SMOKE], cwd=out, check=False)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
