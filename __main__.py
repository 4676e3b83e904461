"""The command line: `assent` or `python -m assent`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; says what to install if its parts are missing."""
    try:
        from .ui.cli.main import run
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("assent: the command line needs the extra `cli`: pip install 'assent[cli]'")
    sys.exit(run())


if __name__ == "__main__":
    main()
