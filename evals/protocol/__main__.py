"""`python -m assent.evals.protocol --fit DIR --rows DIR`: scores a gate on rows, and prints a table or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ...graph.errors import AssentError
from .guarantee import SPLITS
from .run import STREAMS, run_protocol
from .table import lines_of, tables, targets


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the protocol; returns 0 when every target that could be measured is met, 1 when one is not, 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="python -m assent.evals.protocol", description=__doc__)
    parser.add_argument("--rows", type=Path, required=True, help="the folder whose rows are certified on and scored")
    parser.add_argument("--fit", type=Path, help="the folder whose rows the heads are fitted on; without it, halves of --rows")
    parser.add_argument("--splits", type=int, default=SPLITS, help="draws of certifying labels per class")
    parser.add_argument("--streams", type=int, default=STREAMS, help="simulated streams of audits per line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    chosen = parser.parse_args(arguments)
    for folder in (chosen.rows, *([chosen.fit] if chosen.fit else [])):
        if not folder.is_dir():
            return _complain(f"{folder} is no folder.", 2)
    if min(chosen.splits, chosen.streams) < 1:
        return _complain("--splits and --streams start at 1.", 2)
    try:
        result = run_protocol(
            chosen.rows, chosen.fit, splits=chosen.splits, streams=chosen.streams, seed=chosen.seed, tell=_say_progress
        )
    except AssentError as error:
        return _complain(str(error), 2)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("scipy", "sklearn"):
            raise
        return _complain(f"{error.name} is missing: pip install 'assent[calibrate]'", 1)
    met = [one.met for one in targets(result)]
    print(json.dumps(result, indent=2) if chosen.json else _text(result))  # noqa: T201
    return 0 if all(met) else 1


def _text(result: dict[str, object]) -> str:
    lines = [f"rows: {result['rows']}, fitted on: {result['fit']}, seed {result['seed']}, {result['splits']} splits"]
    for shown in tables(result):
        lines += ["", shown.title, *lines_of(shown)]
    for name in ("questions", "writes", "editing"):
        part = result[name]
        if isinstance(part, dict) and "skipped" in part:
            lines += ["", f"{name}: skipped, {part['skipped']}"]
    lines += ["", "Targets"]
    lines += [f"{'met   ' if one.met else 'MISSED'}  {one.what}: {one.measured} (target {one.target})" for one in targets(result)]
    return "\n".join(lines)


def _say_progress(said: str) -> None:
    print(said, file=sys.stderr, flush=True)  # noqa: T201


def _complain(message: str, code: int) -> int:
    print(f"assent: {message}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
