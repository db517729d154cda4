"""The command line: the same pipeline without a browser. Progress goes to stderr, results to stdout."""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from grouprec.cli import privacy, retention, serving
from grouprec.cli.options import (
    ASIDE,
    CHOICES,
    READING,
    AlsoFile,
    AsJson,
    Columns,
    EdgesFile,
    Encoding,
    Excel,
    ItemsFile,
    RunName,
    Runs,
    Sheet,
    UsersFile,
    refuse_odd_names,
)
from grouprec.cli.sources import FETCHED, SOURCE_HELP, Query, fetched
from grouprec.cli.terminal import print_json, print_run, progress_bar, terminal
from grouprec.core import libraries
from grouprec.core.errors import GrouprecError
from grouprec.core.language import commas
from grouprec.core.whole import whole

# The map compiles beside the training. Threads that wait by spinning then fight over the cores: on two of them an
# epoch of the updater took 56 s instead of 11 s. It must stand before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = typer.Typer(
    help="From an interactions file to user groups, a generated list for every group, and the evidence.",
    epilog="On your own file: check FILE, then train FILE, then app --run last. On the sample: demo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
CANCELLED = 130  # the exit status
# Headings of `grouprec --help`, in the order in which commands of each come first.
START, RESULTS, RUNS, PEOPLE = "To begin", "What came of it", "Keeping runs", "People's data"


def main() -> NoReturn:
    """Run the command; a mistake of the user is one sentence and exit status 2, never a traceback."""
    libraries.spare_unused()
    try:
        refuse_odd_names()
        ended = app(standalone_mode=False)
    except GrouprecError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        _fail("Cancelled.", CANCELLED)
    except Exception as error:  # the last line of defence: say it, keep the details out of the way
        if message := getattr(error, "format_message", None):  # usage errors of the option parser
            _fail(f"{message()} See `grouprec --help`.", 2)
        if isinstance(error, typer.Abort):
            _fail("Cancelled.", CANCELLED)
        if os.environ.get("GROUPREC_DEBUG"):
            traceback.print_exc()
        _fail(f"Unexpected error: {type(error).__name__}: {error}. GROUPREC_DEBUG=1 shows where.", 1)
    if ended == CANCELLED:  # typer makes an answer of Ctrl-C and of what else ends a command early
        _fail("Cancelled.", CANCELLED)
    sys.exit(ended if isinstance(ended, int) else 0)


def _fail(sentence: str, status: int) -> NoReturn:
    terminal.print(sentence, style="red" if status != CANCELLED else "", markup=False, highlight=False, soft_wrap=True)
    sys.exit(status)


@app.command(rich_help_panel=START)
def train(
    interactions: Annotated[str | None, typer.Argument(help=SOURCE_HELP)] = None,
    users: UsersFile = None,
    items: ItemsFile = None,
    also: AlsoFile = None,
    edges: EdgesFile = None,
    map: Columns = "",
    query: Query = "",
    encoding: Encoding = "",
    sheet: Sheet = "",
    preset: Annotated[str, typer.Option(help="quick, standard or thorough", rich_help_panel=CHOICES)] = "standard",
    n_groups: Annotated[
        str, typer.Option(help="A number, or auto: chosen on held-out data", rich_help_panel=CHOICES)
    ] = "auto",
    encoder: Annotated[
        str, typer.Option(help="One or several, blended by what held-out data say", rich_help_panel=CHOICES)
    ] = "auto",
    grouper: Annotated[str, typer.Option(help="How groups are formed", rich_help_panel=CHOICES)] = "lists",
    regime: Annotated[
        str, typer.Option(help="strict: one list for all; dedup: each skips what they have", rich_help_panel=CHOICES)
    ] = "strict",
    pseudonyms: Annotated[
        bool,
        typer.Option(
            "--pseudonyms", help="Users' ids become a hash by the secret in GROUPREC_ID_KEY", rich_help_panel=READING
        ),
    ] = False,
    repeats: Annotated[
        bool, typer.Option("--repeats", help="Items that a user has may be listed again", rich_help_panel=CHOICES)
    ] = False,
    search_minutes: Annotated[
        float | None, typer.Option(help="Time to search encoders' settings; thorough: 5", rich_help_panel=CHOICES)
    ] = None,
    set: Annotated[
        list[str] | None, typer.Option(help="stage.field=value, repeatable, e.g. dnn.epochs=5", rich_help_panel=CHOICES)
    ] = None,
    layout: Annotated[
        str, typer.Option(help="How the map is drawn: umap, or pca (instant, coarser)", rich_help_panel=CHOICES)
    ] = "umap",
    seed: Annotated[int, typer.Option(help="Every random number comes from it", rich_help_panel=CHOICES)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps", rich_help_panel=ASIDE)] = "auto",
    refit: Annotated[
        bool | None, typer.Option("--refit/--no-refit", help="Learn final lists from all rows", rich_help_panel=CHOICES)
    ] = None,
    feedback: Annotated[
        str, typer.Option(help="A run whose likes, dislikes and hidden items count here, too", rich_help_panel=CHOICES)
    ] = "",
    title: Annotated[str, typer.Option(help="What to call the run", rich_help_panel=ASIDE)] = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where this machine has too little memory", rich_help_panel=ASIDE)
    ] = False,
    runs: Runs = None,
    resume: Annotated[
        str | None, typer.Option(help="Continue this run from its last finished stage", rich_help_panel=ASIDE)
    ] = None,
    json: AsJson = False,
) -> None:
    """Train the whole pipeline on an interactions file."""
    from grouprec.cli.training import helps, reading_first, refuse_too_large, refuse_unreadable, train_run

    if helps():
        return
    from grouprec.core.errors import SettingError
    from grouprec.data.roles.columns import parse_map
    from grouprec.runs.config import make_config, parse_settings
    from grouprec.runs.store import RunStore

    store = RunStore(runs)
    if resume:
        run = store.get(resume)
    else:
        if interactions is None:
            raise SettingError("Say which file to train on: grouprec train INTERACTIONS, or --resume RUN.")
        source = fetched(interactions, query, store.root / FETCHED)
        config = make_config(
            title=title or f"{source.name}, {preset}",
            dataset=source.name,
            interactions=source.path.absolute(),
            users=users and users.absolute(),
            items=items and items.absolute(),
            also=also and also.absolute(),
            edges=edges and edges.absolute(),
            roles=parse_map(map) if map else {},
            preset=preset,
            n_groups=n_groups if (number := whole(n_groups)) is None else number,
            encoders=tuple(name.strip() for name in encoder.split(",") if name.strip()),
            grouper=grouper,
            regime=regime,
            settings=reading_first(parse_settings(set or []), encoding, sheet, pseudonyms),
            layout=layout,
            seed=seed,
            device=device,
            refit=refit,
            repeats=repeats,
            search_minutes=search_minutes,
            feedback=store.get(feedback).run_id if feedback else "",
        )
        refuse_unreadable(config)
        if not anyway:
            refuse_too_large(config)
        run = store.create(config)
    metrics = train_run(store, run)
    if json:
        print_json(
            {"run_id": run.run_id, "status": run.status().state, "seconds": metrics["seconds"], "metrics": metrics}
        )
    else:
        print_run(run)


@app.command(rich_help_panel=START)
def check(
    interactions: Annotated[str, typer.Argument(help=SOURCE_HELP)],
    users: UsersFile = None,
    items: ItemsFile = None,
    also: AlsoFile = None,
    edges: EdgesFile = None,
    map: Columns = "",
    query: Query = "",
    encoding: Encoding = "",
    sheet: Sheet = "",
    rejects: Annotated[Path | None, typer.Option(help="CSV file for the rows that cannot be read")] = None,
    json: AsJson = False,
) -> None:
    """Say what of a file is understood and what is doubtful, without training."""
    libraries.load("pandas", "grouprec.cli.check", "grouprec.data.preparing.prepare")
    from grouprec.cli.check import check_file
    from grouprec.data.roles.columns import parse_map

    reading = {"encoding": encoding, "sheet": sheet}
    with tempfile.TemporaryDirectory() as folder:
        source = fetched(interactions, query, Path(folder))
        beside = {"users": users, "items": items, "also": also, "edges": edges}
        check_file(source.path, beside, parse_map(map) if map else {}, reading, rejects, json)


METHOD_HELP = (
    "Whose lists: members_mean, generated, popularity, or the strategy that the run was trained with. Default: that "
    "strategy where one was named, else members_mean"
)


@app.command(rich_help_panel=RESULTS)
def export(
    run: RunName,
    out: Annotated[Path, typer.Option(help="Folder for the CSV files")],
    method: Annotated[str | None, typer.Option(help=METHOD_HELP)] = None,
    excel: Excel = False,
    runs: Runs = None,
    json: AsJson = False,
) -> None:
    """Write members.csv, group_lists.csv, group_rankings.csv and user_lists.csv."""
    from grouprec.cli.exporting import tell_files, tell_unknown_rows
    from grouprec.report.csv import export_run, exported_methods
    from grouprec.runs.store import RunStore

    found = RunStore(runs).get(run)
    rows, made_by = export_run(found, out, method, excel), exported_methods(found, method)
    tell_files(found, out, rows, excel)
    made = "; ".join(f"{regime}: {name}" for regime, name in made_by.items())
    terminal.print(f"Lists made by {made}", markup=False, highlight=False)
    tell_unknown_rows(found)
    if json:
        print_json({"files": rows, "list_method": made_by})


@app.command(rich_help_panel=RESULTS)
def update(
    run: RunName,
    events: Annotated[Path, typer.Argument(help="New events: a file of any format that training reads")],
    out: Annotated[Path, typer.Option(help="Folder for the CSV files")],
    map: Columns = "",
    excel: Excel = False,
    runs: Runs = None,
    json: AsJson = False,
) -> None:
    """Send new events to a run, each once, and write its export files as they stand after them."""
    from grouprec.cli.exporting import tell_files
    from grouprec.core.files import storage
    from grouprec.data.roles.columns import parse_map
    from grouprec.live.events import read_events
    from grouprec.live.stream import Stream, time_order
    from grouprec.report.csv import export_stream
    from grouprec.runs.store import RunStore

    store = RunStore(runs)
    found = store.get(run)
    table = read_events(events, parse_map(map) if map else {}, found.config().roles, time_order(found))
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
    with Stream.open(store, found) as stream, progress_bar() as bar:
        task = bar.add_task("events", total=1.0)
        report = stream.apply(table, lambda fraction: bar.update(task, completed=fraction))
        rows = export_stream(stream, out, excel)
    for problem in report.problems:
        terminal.print(problem, markup=False, highlight=False, soft_wrap=True)
    counts = commas(f"{count:,} {name}" for name, count in report.counts().items())
    terminal.print(f"{counts}; {report.moved_users:,} users moved to another group", highlight=False, soft_wrap=True)
    tell_files(found, out, rows, excel)
    if json:
        print_json({**report.counts(), "moved_users": report.moved_users, "seconds": report.seconds})


@app.command("list", rich_help_panel=RUNS)
def list_runs(runs: Runs = None, json: AsJson = False) -> None:
    """List the runs, newest first; of damaged ones say what is wrong."""
    from grouprec.cli.listing import print_runs
    from grouprec.runs.store import RunStore

    print_runs(RunStore(runs), json)


@app.command(rich_help_panel=RUNS)
def owner(
    run: RunName,
    to: Annotated[str, typer.Option(help="Whose it shall be: the name by which they sign in")] = "",
    shared: Annotated[bool | None, typer.Option("--shared/--private", help="With the team, or theirs alone")] = None,
    runs: Runs = None,
    json: AsJson = False,
) -> None:
    """Say whose a run is where people sign in, or change it."""
    from grouprec.cli.ownership import say_owner
    from grouprec.runs.store import RunStore

    say_owner(RunStore(runs).get(run), to, shared, json)


@app.command(rich_help_panel=RESULTS)
def show(run: RunName, runs: Runs = None, json: AsJson = False) -> None:
    """Show what a run learned and what it is worth."""
    libraries.load("pandas", "grouprec.runs.store", "grouprec.training.jobs", "grouprec.report.tables")
    from grouprec.core.errors import StorageError
    from grouprec.runs.store import RunStore, State
    from grouprec.training.jobs import refresh

    found = RunStore(runs).get(run)
    if (now := refresh(found)).state is State.DAMAGED:
        raise StorageError(now.message)
    if json:
        status = dataclasses.asdict(found.status())
        print_json({"run_id": found.run_id, **status, "status": status["state"], "metrics": found.metrics()})
    else:
        print_run(found)


@app.command(rich_help_panel=RESULTS)
def compare(
    run: Annotated[list[str], typer.Argument(help="Run ids or last")], runs: Runs = None, json: AsJson = False
) -> None:
    """Compare the methods of one or several runs."""
    from grouprec.cli.listing import print_comparison
    from grouprec.runs.store import RunStore

    store = RunStore(runs)
    print_comparison([store.get(run_id) for run_id in run], json)


@app.command(rich_help_panel=RESULTS)
def value(run: RunName, runs: Runs = None, json: AsJson = False) -> None:
    """Print what every number of groups is worth (nDCG@10), by every method and in both regimes."""
    from grouprec.cli.listing import print_values
    from grouprec.runs.store import RunStore

    print_values(RunStore(runs).get(run), json)


@app.command(rich_help_panel=RESULTS)
def report(
    run: RunName,
    out: Annotated[
        Path,
        typer.Option(help="The file: .html for the story, .pdf or .png for its six views (with a browser at hand)"),
    ],
    language: Annotated[str, typer.Option(help="Of its words: en or zh")] = "en",
    runs: Runs = None,
    json: AsJson = False,
) -> None:
    """Write a run's whole story as one HTML file that needs no network and prints well; or its views as PDF or PNG."""
    from grouprec.cli.exporting import write_report
    from grouprec.runs.store import RunStore

    found = RunStore(runs).get(run)
    said = write_report(found, out, language)
    if json:
        print_json({"run_id": found.run_id, **said})


app.command(rich_help_panel=START)(serving.demo)
app.command("app", rich_help_panel=START)(serving.serve)
app.command(rich_help_panel=RUNS)(retention.expire)
app.command(rich_help_panel=RUNS)(retention.restore)
app.command(rich_help_panel=PEOPLE)(privacy.forget)
app.command(rich_help_panel=PEOPLE)(privacy.pseudonym)
