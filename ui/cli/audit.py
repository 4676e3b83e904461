"""`assent audit`: signs the head of the log, takes the log away, and verifies it where the database is not."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ...graph.audit import audit_file, signing, verifying
from ...graph.audit.verifying import Report
from ...graph.clock import utc_now
from .inbox import Home, Json
from .say import Failed, print_json, progress, show, tell, wait_for

app = typer.Typer(help="The audit log: sign, export, verify.", no_args_is_help=True)

Database = Annotated[str | None, typer.Option(envvar="ASSENT_DATABASE_URL", help="The database; default: that of --home.")]
Tenant = Annotated[str, typer.Option(help="Whose log.")]
Keys = Annotated[list[str] | None, typer.Option("--public-key", help="ed25519:..., or a file with it; several if several signed.")]
Heads = Annotated[Path | None, typer.Option(help="The file of signed heads that is kept outside the database.")]


@app.command()
def keygen(out: Annotated[Path, typer.Option(help="A new file for the private key.")]) -> None:
    """Make a key for signing; prints the public key, which whoever verifies needs. A file that is there is never overwritten."""
    show(signing.make_key(out).public)


@app.command()
def sign(
    key: Annotated[Path, typer.Option(envvar="ASSENT_AUDIT_KEY", help="The private key.")],
    heads: Annotated[Path, typer.Option(envvar="ASSENT_AUDIT_HEADS", help="The file to add the signed head to.")],
    database: Database = None,
    home: Home = Path("desk"),
    tenant: Tenant = "main",
) -> None:
    """Sign the head of the log and add it to a file outside the database."""
    from ...graph.audit import heads as signer

    async def work() -> signing.SignedHead | None:
        async with _store(database, home) as store:
            return await signer.sign(store, utc_now, tenant, signer.Signing(key, heads))

    signed = wait_for(work())
    show(f"signed record {signed.seq} of {signed.tenant}" if signed else "nothing was added since the last signed head")


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="A new file; `-` is standard output.")],
    database: Database = None,
    home: Home = Path("desk"),
    tenant: Tenant = "main",
    heads: Heads = None,
    rows: Annotated[bool, typer.Option(help="Add the rows of actions, decisions and executions, to be compared.")] = True,
) -> None:
    """Write the log as JSON Lines, with its signed heads; secret arguments are masked."""
    from ...graph.audit import auditing

    if heads is not None and not heads.is_file():
        raise Failed(f"There is no file of signed heads {heads}.", 2)

    async def work() -> int:
        inside = signing.read_heads(heads, tenant) if heads is not None else ()
        written = 0
        async with _store(database, home) as store:
            with _opened(out) as file, progress() as bars:
                task = bars.add_task("records", total=None)
                async for line in auditing.lines(auditing.exported(store, utc_now, tenant, rows=rows, heads=inside)):
                    file.write(line)
                    written += 1
                    bars.update(task, completed=written)
        return written

    written = wait_for(work())
    tell(f"{written} lines in {out}")


def _opened(out: Path) -> Any:
    try:
        return open(1, "wb", closefd=False) if str(out) == "-" else out.open("xb")
    except FileExistsError:
        raise Failed(f"The file {out} is there already; name another one.") from None
    except OSError as error:
        raise Failed(f"The file {out} cannot be written: {error.strerror}.") from None


@app.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export.")] = None,
    public_key: Keys = None,
    heads: Heads = None,
    database: Annotated[str | None, typer.Option(help="Verify this database itself, rows included, instead of a file.")] = None,
    tenant: Tenant = "main",
    as_json: Json = False,
) -> None:
    """Verify an export, or a database; exit code 1 if something is wrong, and the first bad record is named."""
    if (file is None) == (database is None):
        raise Failed("Name an export, or a database with --database; one of them.", 2)
    if heads is not None and not heads.is_file():
        raise Failed(f"There is no file of signed heads {heads}.", 2)
    keys = [signing.public_key(one) for one in public_key or ()]
    outside = signing.read_heads(heads) if heads is not None else None
    report = _of_file(file, keys, outside) if file is not None else _of_database(str(database), tenant, keys, outside)
    print_json(report.as_json()) if as_json else _print(report)
    raise typer.Exit(report.exit_code)


def _of_file(path: Path, keys: list[str], heads: Iterator[signing.SignedHead] | None) -> Report:
    try:
        size = os.path.getsize(path)
        with path.open("rb") as file, progress() as bars:
            task = bars.add_task("verifying", total=size or None)

            def counted() -> Iterator[bytes]:
                for number, line in enumerate(file):
                    if number % 500 == 0:
                        bars.update(task, completed=file.tell() if file.seekable() else None)
                    yield line

            return verifying.verify(audit_file.read_export(counted()), keys, heads)
    except OSError as error:
        raise Failed(f"The export {path} cannot be read: {error.strerror}.", 2) from None


def _of_database(url: str, tenant: str, keys: list[str], heads: Iterator[signing.SignedHead] | None) -> Report:
    from ...graph.audit.auditing import exported

    async def work() -> Report:
        async with _store(url, Path()) as store:
            with progress() as bars:
                task = bars.add_task("verifying", total=None)
                checking = verifying.Checking(keys, heads, lambda seq: bars.update(task, completed=seq))
                items = exported(store, utc_now, tenant)
                async for item in items:
                    if not checking.take(item):
                        break
                await items.aclose()  # type: ignore[attr-defined]  # a generator
                return checking.end()

    return wait_for(work())


@asynccontextmanager
async def _store(url: str | None, home: Path) -> AsyncIterator[Any]:
    """Open the rows alone; a database that has another schema version is refused, not changed."""
    from ...graph.store import migrate
    from ...graph.store.session import Store
    from .database import url_of

    store = Store(url or url_of(home))
    if store.path is not None and not store.path.exists():
        raise Failed(f"There is no database {store.path}.", 2)
    try:
        found = await migrate.status(store.url)
        if found.found != found.known:
            raise Failed(found.advice, 1)
        yield store
    finally:
        await store.close()


def _print(report: Report) -> None:
    if report.bad:
        show(f"BAD  {report.bad}")
        show(f"{report.records} records before it are right")
        return
    signed = f"signed until record {report.signed_until}" if report.signatures else "signatures not checked: no public key given"
    show(f"ok  {report.records} records of {report.tenant}, head {report.head[:16]}, {signed}")
    for count, told in (
        (report.records - report.signed_until if report.signatures else 0, "records after the last signed head"),
        (report.erased, "records whose payload was erased, with the erasure on record"),
        (report.rows, "rows that agree with the records"),
        (report.from_before, "rows or executions of what was proposed before the log began"),
    ):
        if count:
            show(f"    {count} {told}")
