"""Tables of a comparison of methods, groups and runs. Plain functions on frames; no page is drawn here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from grouprec.core.language import N_, Glossary, _
from grouprec.report import sentences, tables
from grouprec.report.text import interval
from grouprec.runs.store import Run

ACCURACY = ("ndcg", "hit_rate", "precision", "recall", "f1")  # what places are the mean of, with MRR
GROUP_METRICS = Glossary({"ndcg@10": "Order of hits (nDCG@10)", "hit_rate@10": "Members with a hit"})
WHOLE_RUN = N_("All together")


def places(evaluation: pd.DataFrame, regime: str, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the places of a regime's methods, 1 the best: method x metric; equal values share the better place."""
    match = (evaluation["regime"] == regime) & evaluation["metric"].isin(metrics) & evaluation["value"].notna()
    values = evaluation[match].pivot_table(index="method", columns="metric", values="value")
    return values.rank(ascending=False, method="min").reindex(columns=[name for name in metrics if name in values])


def method_table(evaluation: pd.DataFrame, comparisons: pd.DataFrame, regime: str, length: int) -> pd.DataFrame:
    """Return the table of methods with their places among the shared lists, best nDCG first.

    Its rows are those of :func:`grouprec.report.tables.methods_of`, in the same order.
    """
    order = tables.methods_of(evaluation, regime, f"ndcg@{length}")
    table = tables.method_table(evaluation, comparisons, regime, length)
    ranked = places(evaluation, regime, [*(f"{name}@{length}" for name in ACCURACY), "mrr"])
    shared = order["method"].where(order["regime"] == regime)
    if len(ranked):
        table.insert(0, N_("Place"), shared.map(ranked[f"ndcg@{length}"]))
        table.insert(3, N_("Mean place"), shared.map(ranked.mean(axis=1)).round(1))
    return table


# -- groups


def group_values(methods: pd.DataFrame | None, served: pd.DataFrame, regime: str, metric: str) -> pd.DataFrame:
    """Return what the groups' members get, long: group, name, n_test_users, column, value.

    Args:
        methods: group_methods, every method's value for every group; None in a run that has none. Then the columns
            are the two uses of the run's own lists.
        served: group_evaluation, which has the names of the evaluated groups.
    """
    names = served.drop_duplicates("group").set_index("group")["name"]
    if methods is None:
        rows = served.assign(column=served["regime"].map(sentences.REGIMES))
    else:
        rows = methods[methods["regime"].isin([regime, "individual"])]
        titles = [sentences.method_title(*pair) for pair in zip(rows["method"], rows["regime"], strict=True)]
        rows = rows.assign(column=titles)
    rows = rows[["group", "n_test_users", "column"]].assign(value=rows[metric])
    return rows.join(names, on="group").reset_index(drop=True)


def group_grid(values: pd.DataFrame, ours: str) -> pd.DataFrame:
    """Return the long values as a grid: group, name, tested users, then the columns, ``ours`` first, then the best."""
    titles = values.groupby("column")["value"].mean().sort_values(ascending=False).index
    grid = values.pivot_table(index=["group", "name", "n_test_users"], columns="column", values="value")
    return (
        grid.reindex(columns=[ours, *(title for title in titles if title != ours)])
        .reset_index()
        .rename_axis(columns=None)
    )


# -- runs


def run_labels(runs: Mapping[str, Run]) -> dict[str, str]:
    """Return run id -> what tables call it: its title, with the id where two runs bear the same one."""
    titles = pd.Series({run_id: run.title() for run_id, run in runs.items()}, dtype=str)
    twice = titles.duplicated(keep=False)
    told_apart = titles.mask(twice, titles + " · " + titles.index.str[-4:])
    return dict(zip(runs, told_apart.tolist(), strict=True))


def methods_by_run(
    evaluations: Mapping[str, pd.DataFrame], regime: str, metric: str, chosen: Collection[str] = ()
) -> pd.DataFrame:
    """Return shared methods in rows: their mean place over the runs and their value in every run, best first.

    Args:
        evaluations: what the run is called -> its evaluation.
        chosen: the methods to keep; all where none is chosen.
    """
    ranked = {name: places(table, regime, [metric]) for name, table in evaluations.items()}
    wide = pd.concat({name: frame[metric] for name, frame in ranked.items() if metric in frame}, axis=1)
    wide = wide[wide.index.isin(chosen)] if chosen else wide
    mean = wide.mean(axis=1).sort_values(kind="stable")
    shown = pd.DataFrame({N_("Method"): [sentences.method_title(method) for method in mean.index]})
    shown["Mean place"] = mean.round(1).to_numpy()
    for name, table in evaluations.items():
        rows = tables.of(table, metric, regime=regime).set_index("method").reindex(mean.index)
        shown[name] = [
            "" if pd.isna(row[0]) else interval(*row)
            for row in rows[["value", "low", "high"]].itertuples(index=False, name=None)
        ]
    return shown


def costs(run: Run, evaluation: pd.DataFrame, metric: str = sentences.METRIC) -> pd.DataFrame:
    """Return what the run's encoders cost and what personal lists by each alone reach, and by all together.

    Columns: title, seconds (of training, once), numbers (learned), value, low, high. An encoder that was read back
    from another run took no training here and is left out.
    """
    seconds = _training_seconds(run)
    rows = tables.of(evaluation, metric, regime="individual").set_index("method")
    names = [name for name in seconds.index if name in rows.index]
    frame = rows.reindex(names)[["value", "low", "high"]].assign(
        title=[sentences.encoder_title(name) for name in names],
        seconds=seconds.reindex(names),
        numbers=[_numbers_learned(run, name) for name in names],
    )
    if len(frame) > 1 and "individual" in rows.index:
        ours = rows.loc[["individual"], ["value", "low", "high"]]
        ours = ours.assign(
            title=_(WHOLE_RUN), seconds=frame["seconds"].sum(), numbers=frame["numbers"].sum(skipna=False)
        )
        frame = pd.concat([frame, ours])
    return frame[["title", "seconds", "numbers", "value", "low", "high"]].reset_index(drop=True)


def _training_seconds(run: Run) -> pd.Series:
    """Return encoder -> seconds of the fit that was judged, of those that were trained in this run."""
    taken = run.metrics().get("stage_seconds") or {}
    read_back = {event.get("stage") for event in run.events() if event.get("reused")}
    seconds = {}
    for before in ("encoder ", "judge: encoder "):  # the second fit, on more rows, is the one that was judged
        seconds |= {name.removeprefix(before): value for name, value in taken.items() if name.startswith(before)}
    trained = {name: value for name, value in seconds.items() if f"judge: encoder {name}" not in read_back}
    return pd.Series(trained, dtype=float)


def _numbers_learned(run: Run, encoder: str) -> float:
    """Return how many numbers an encoder keeps, from the headers of its files; NaN where the run has none.

    Raises:
        StorageError: one of them is damaged.
    """
    files = [run.file(name) for name in run.names() if fnmatch(name, f"stages/encoder.{encoder}.*.safetensors")]
    return max(map(_numbers_in, files), default=np.nan)


def _numbers_in(file: Path) -> float:
    """Return the size of all arrays in a file of a stage, NaN where it is damaged. Reads no array."""
    try:
        with safe_open(file, "numpy") as opened:
            shapes = [opened.get_slice(name).get_shape() for name in opened.keys()]  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError):
        return np.nan
    return float(sum(np.prod(shape) for shape in shapes))
