"""The command line's table of contents; foreseeable mistakes end in one line and an exit code, never in a traceback."""

from __future__ import annotations

import os
import sys

import typer

from ...graph.errors import AssentError
from . import (
    advising,
    audit,
    autonomy,
    backup,
    certifying,
    control,
    database,
    demo,
    doctor,
    erasing,
    evaluating,
    evidence,
    examples,
    inbox,
    model,
    people,
    rehearsing,
    reviewing,
    simulating,
    web,
    working,
)
from .say import Failed, complain

app = typer.Typer(
    name="assent",
    help="Let AI agents act, and make every consequential action wait for assent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.add_typer(inbox.app, name="inbox")
app.add_typer(examples.app, name="examples")
app.add_typer(evaluating.app, name="eval")
app.add_typer(model.app, name="model")
app.add_typer(people.app, name="users")
app.add_typer(audit.app, name="audit")
app.add_typer(control.app, name="stops")
app.add_typer(reviewing.app, name="reviewing")
app.add_typer(database.app, name="db")
audit.app.command("retain")(erasing.retain)
database.app.command("backup")(backup.backup)
database.app.command("restored")(erasing.restored)
app.command("reviewers")(reviewing.reviewers)
app.command("erase")(erasing.erase)
app.command("evidence")(evidence.evidence)
app.command("certify")(certifying.certify)
app.command("monitor")(certifying.monitor)
app.add_typer(autonomy.app, name="autonomy")
app.command("worker")(working.worker)
app.command("serve")(web.serve)
app.command("simulate")(simulating.simulate)
app.command("doctor")(doctor.doctor)
app.command("rehearse")(rehearsing.rehearse)
app.command("advise")(advising.advise_types)


EXTRAS = {
    **dict.fromkeys(("gradio", "fastapi", "uvicorn", "argon2"), "ui"),
    **dict.fromkeys(("psycopg", "psycopg_pool", "procrastinate"), "postgres"),
    **dict.fromkeys(("openai", "langchain_openai"), "models"),
    **dict.fromkeys(("xllamacpp", "numpy", "tokenizers", "safetensors"), "local"),
    "cryptography": "audit",
    **dict.fromkeys(("scipy", "sklearn"), "calibrate"),
    "matplotlib": "plot",
}
"""Which extra brings a library that a command needs."""


def run() -> int:
    """Run the command line; returns 0, 1 (a check or gate failed, or it could not be done) or 2 (wrong use)."""
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except Failed as error:
        return complain(str(error), error.code)
    except AssentError as error:
        return complain(str(error), 1)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        return complain(f"{error.name} is missing: pip install 'assent[{extra}]'", 1)
    except KeyboardInterrupt:
        return complain("stopped", 130)
    except BrokenPipeError:
        sys.stderr.close()
    return 0
