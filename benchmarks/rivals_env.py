"""``python rivals_env.py RIVAL FOLDER SECONDS TRIALS``: tune one rival, refit it, write its lists. Runs apart from us.

It runs in the rivals' own environment (see ``rivals.py``) and knows nothing of our package; EASE needs numpy and scipy
only. Every rival has the same number of trials, chosen by nDCG@10 on the validation part, and is refitted on
training and validation with the best settings. Everything runs on the CPU with fixed seeds.

Reads ``train.npz``, ``validation.npz``, ``known.npz`` (CSR [U, I], 1 where the user has the item) and, for the
aggregators, ``labels.npy`` (int [U]) and ``scores.npz`` (CSR [U, I], written by EASE). Writes ``RIVAL.npy`` and
``RIVAL.json``.
"""

# pyright: reportMissingImports=false, reportOptionalSubscript=false
# The rivals are not installed where we check types.
from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.stats import qmc

TRIALS = 12  # of every rival: the first half over the whole ranges, the second half close to the best of the first
DEPTH = 200  # items in a user's list
SHARED_DEPTH = 10  # items in a group's list
K = 10  # validation is judged by nDCG@K
SEED = 0
BATCH = 512  # users scored at a time
MAX_CELLS = 1 << 27  # members x items of the dense matrix that the aggregators ask for: 1 GiB of float64
MAX_EPOCHS, PATIENCE = 300, 15  # MultiVAE stops after so many epochs without a better validation value

Settings = dict[str, Any]
Score = Callable[[np.ndarray], np.ndarray]  # int [B] user rows -> float [B, I]; -inf where there is no score
# Fits a matrix with the given settings. ``judge`` tells the validation value of a score, for early stopping; it is
# None in the refit, where the settings hold what early stopping found.
Fit = Callable[[sparse.csr_array, Settings, Callable[[Score], float] | None], tuple[Score, Settings]]


@dataclass(frozen=True)
class Rival:
    """One way to personal lists.

    Attributes:
        fit: see ``Fit``.
        space: least and greatest value of every setting; whole numbers stay whole.
        fixed: settings that are the same in every trial.
        packages: distributions whose versions matter.
    """

    fit: Fit
    space: dict[str, tuple[float, float]]
    fixed: Settings
    packages: tuple[str, ...]


def trials(space: dict[str, tuple[float, float]], n: int) -> list[Settings]:
    """Return ``n`` settings spread evenly over the logarithms of the ranges (a Halton sequence)."""
    unit = qmc.Halton(len(space), rng=np.random.default_rng(SEED)).random(n)
    low, high = np.array(list(space.values()), dtype=float).T
    values = low * (high / low) ** unit
    whole = [isinstance(bounds[0], int) for bounds in space.values()]
    return [
        {name: round(x) if w else float(f"{x:.3g}") for name, x, w in zip(space, row, whole, strict=True)}
        for row in values
    ]


def narrowed(space: dict[str, tuple[float, float]], best: Settings) -> dict[str, tuple[float, float]]:
    """Return ranges a third as wide (in logarithms) about the best settings, within the given ones."""
    narrow = {}
    for name, (low, high) in space.items():
        step = (high / low) ** (1 / 6)
        bounds = max(low, best[name] / step), min(high, best[name] * step)
        narrow[name] = (round(bounds[0]), round(bounds[1])) if isinstance(low, int) else bounds
    return narrow


def best_unseen(score: Score, seen: sparse.csr_array, users: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Return every given user's best items that they do not have, best first.

    Returns:
        int32 and float32 [len(users), depth]: items, -1 where there are no more, and their scores, 0 there.
    """
    items = np.full((len(users), depth), -1, np.int32)
    values = np.zeros((len(users), depth), np.float32)
    n = min(depth, seen.shape[1])
    for start in range(0, len(users), BATCH):
        rows = users[start : start + BATCH]
        scores = np.array(score(rows), dtype=np.float32)
        scores[seen[rows].nonzero()] = -np.inf
        top = np.argpartition(-scores, n - 1, axis=1)[:, :n]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable"), 1)
        found = np.take_along_axis(scores, top, 1)
        known = np.isfinite(found)
        items[start : start + BATCH, :n] = np.where(known, top, -1)
        values[start : start + BATCH, :n] = np.where(known, found, 0)
    return items, values


def ndcg(score: Score, seen: sparse.csr_array, targets: sparse.csr_array) -> float:
    """Return the mean nDCG@K over the users with targets, ranked against the full catalogue without ``seen``."""
    n_targets = np.diff(targets.indptr)
    users = np.flatnonzero(n_targets)
    items, _ = best_unseen(score, seen, users, K)
    rows = np.repeat(users, K)
    hits = np.asarray(targets[rows, np.maximum(items, 0).ravel()]).reshape(items.shape).astype(bool) & (items >= 0)
    discounts = 1 / np.log2(np.arange(2, K + 2))
    ideal = discounts.cumsum()[np.minimum(n_targets[users], K) - 1]
    return float((hits @ discounts / ideal).mean())


def fit_ease(matrix: sparse.csr_array, settings: Settings, judge: object) -> tuple[Score, Settings]:
    """EASE (Steck 2019) in closed form: item weights B = I - P / diag(P), P = (X'X + l2 I)^-1."""
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += settings["l2"]
    inverse = np.linalg.inv(gram)
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return lambda rows: matrix[rows] @ weights, settings


def fit_als(matrix: sparse.csr_array, settings: Settings, judge: object) -> tuple[Score, Settings]:
    """ALS by implicit."""
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # it has threads of its own
        model = AlternatingLeastSquares(**settings, random_state=SEED)
        model.fit(sparse.csr_matrix(matrix), show_progress=False)
    return lambda rows: model.user_factors[rows] @ model.item_factors.T, settings


def fit_ials(matrix: sparse.csr_array, settings: Settings, judge: object) -> tuple[Score, Settings]:
    """IALS by irspack."""
    from irspack import IALSRecommender

    model = IALSRecommender(sparse.csr_matrix(matrix), **settings, random_seed=SEED).learn()
    return model.get_score, settings


def fit_multivae(
    matrix: sparse.csr_array, settings: Settings, judge: Callable[[Score], float] | None
) -> tuple[Score, Settings]:
    """MultiVAE by RecBole: its data set, model and training epoch; when to stop is decided here."""
    _mend_numpy()
    from recbole.config import Config
    from recbole.data import create_dataset
    from recbole.data.dataloader import UserDataLoader
    from recbole.model.general_recommender import MultiVAE
    from recbole.trainer import Trainer
    from recbole.utils import init_seed

    epochs = settings.get("epochs", MAX_EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        _write_interactions(matrix, Path(folder) / "given" / "given.train.inter")
        options = {
            **{name: value for name, value in settings.items() if name != "epochs"},
            **{"data_path": folder, "checkpoint_dir": folder, "benchmark_filename": ["train"]},
            **{"use_gpu": False, "seed": SEED, "train_neg_sample_args": None, "show_progress": False},
        }
        config = Config(model="MultiVAE", dataset="given", config_dict=options)
        init_seed(SEED, reproducibility=True)
        (data,) = create_dataset(config).build()
        model = MultiVAE(config, data).to(config["device"])
        trainer = Trainer(config, model)
    batches = UserDataLoader(config, data, None, shuffle=True)
    score = _multivae_score(model, data, matrix.shape)
    best, best_epoch, best_state = -np.inf, epochs, model.state_dict()
    for epoch in range(1, epochs + 1):
        trainer._train_epoch(batches, epoch)
        value = judge(score) if judge else -np.inf
        if value > best:
            best, best_epoch = value, epoch
            best_state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        elif judge and epoch - best_epoch >= PATIENCE:
            break
    model.load_state_dict(best_state)
    return score, {**settings, "epochs": best_epoch}


def _mend_numpy() -> None:
    """Give numpy 2 the old names that RecBole reads when it makes its settings."""
    for old, new in {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_}.items():
        setattr(np, old, new)


def _write_interactions(matrix: sparse.csr_array, path: Path) -> None:
    """Write RecBole's interaction file; users and items are called by their rows."""
    path.parent.mkdir()
    rows, columns = matrix.nonzero()
    np.savetxt(path, np.column_stack([rows, columns]), "%d", "\t", header="user_id:token\titem_id:token", comments="")


def _multivae_score(model: Any, data: Any, shape: tuple[int, int]) -> Score:
    """Return the scores in our rows and columns; RecBole has its own numbers, and none for items without users.

    Users without history are its user 0, whose history is empty.
    """
    import torch

    users = np.zeros(shape[0], np.int64)
    users[data.field2id_token["user_id"][1:].astype(int)] = np.arange(1, data.user_num)
    columns = data.field2id_token["item_id"][1:].astype(int)

    def score(rows: np.ndarray) -> np.ndarray:
        model.eval()
        with torch.no_grad():
            found = model.full_sort_predict({"user_id": torch.from_numpy(users[rows])})
        scores = np.full((len(rows), shape[1]), -np.inf, np.float32)
        scores[:, columns] = found.view(len(rows), -1)[:, 1:].numpy()
        return scores

    return score


RIVALS = {
    "ease": Rival(fit_ease, {"l2": (10.0, 20000.0)}, {}, ("numpy", "scipy")),
    "implicit_als": Rival(
        fit_als,
        {"factors": (32, 256), "regularization": (3.0, 100.0), "alpha": (1.0, 10.0)},
        {"iterations": 15},
        ("implicit", "numpy", "scipy"),
    ),
    "irspack_ials": Rival(
        fit_ials,
        {"n_components": (32, 256), "alpha0": (0.1, 1.0), "reg": (3e-3, 3e-2)},
        {"train_epochs": 16, "n_threads": 1},  # more threads add up in an order that varies
        ("irspack", "numpy", "scipy"),
    ),
    "recbole_multivae": Rival(
        fit_multivae,
        {"learning_rate": (5e-4, 3e-3), "dropout_prob": (0.3, 0.8), "anneal_cap": (0.1, 1.0)},
        # RecBole halves latent_dimension; its default of 200,000 annealing steps would end long after training does.
        {"total_anneal_steps": 200, "train_batch_size": 256, "mlp_hidden_size": [600], "latent_dimension": 256},
        ("recbole", "torch", "numpy", "scipy", "pandas"),
    ),
}


def tune(
    rival: Rival, folder: Path, seconds: float, n_trials: int = TRIALS
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return the lists of the best settings after a refit, and what happened.

    Trials end when ``seconds`` have passed; the first is always finished. The report says how long each fit took.

    Returns:
        Items and scores as :func:`best_unseen` gives them for all users, and settings and trials for the report.
    """
    train, validation, known = (_read(folder / f"{name}.npz") for name in ("train", "validation", "known"))
    begun = time.monotonic()
    tried: list[dict[str, Any]] = []
    planned = trials(rival.space, max(1, n_trials // 2))

    def judge(score: Score) -> float:
        return ndcg(score, train, validation)

    while len(tried) < n_trials and (not tried or time.monotonic() - begun < seconds):
        if not planned:
            planned = trials(narrowed(rival.space, _best(tried)), n_trials - len(tried))
        started = time.monotonic()
        score, settings = rival.fit(train, {**rival.fixed, **planned.pop(0)}, judge)
        took = time.monotonic() - started
        tried.append({"settings": settings, "ndcg@10": judge(score), "seconds": took})
    best = _best(tried)
    score, _ = rival.fit(known, best, None)
    items, values = best_unseen(score, known, np.arange(known.shape[0]), DEPTH)
    return items, values, {"settings": best, "trials": tried, "note": ""}


def _best(tried: list[dict[str, Any]]) -> Settings:
    return max(tried, key=lambda trial: trial["ndcg@10"])["settings"]


def aggregate(name: str, folder: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Return one shared list per group by an aggregator of PyPI's grouprec, int32 [G, SHARED_DEPTH].

    An item that is not among a member's candidates counts 0 for them. Items that no member has as a candidate are
    never listed. Of a group too large for a dense matrix a random part is asked.
    """
    from grouprec import aggregators  # PyPI's package: ours is not in this environment

    scores, labels = _read(folder / "scores.npz"), np.load(folder / "labels.npy")
    rng = np.random.default_rng(SEED)
    lists = np.full((labels.max() + 1, SHARED_DEPTH), -1, np.int32)
    cut = []
    for group in range(len(lists)):
        members = np.flatnonzero(labels == group)
        items = np.unique(scores[members].indices)
        most = max(1, MAX_CELLS // max(1, len(items)))
        if len(members) > most:
            members = rng.choice(members, most, replace=False)
            cut.append(group)
        if len(items):
            chosen = items[aggregators.get(name).aggregate(scores[members][:, items].toarray(), SHARED_DEPTH)]
            lists[group, : len(chosen)] = chosen
    note = f"asked a random part of the members of {len(cut)} groups, too large for a dense matrix" if cut else ""
    return lists, {"settings": {}, "trials": [], "note": note}


AGGREGATORS = {"grouprec_gfar": "GFAR", "grouprec_average": "AVG"}


def _read(path: Path) -> sparse.csr_array:
    return sparse.csr_array(sparse.load_npz(path), dtype=np.float32)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def main(name: str, folder: Path, seconds: float, n_trials: int = TRIALS) -> None:
    if name in AGGREGATORS:
        lists, report = aggregate(AGGREGATORS[name], folder)
        packages: tuple[str, ...] = ("grouprec", "numpy", "scipy")
    else:
        lists, values, report = tune(RIVALS[name], folder, seconds, n_trials)
        packages = RIVALS[name].packages
        if name == "ease":
            known = lists >= 0
            starts = np.concatenate([[0], known.sum(axis=1).cumsum()])
            shape = _read(folder / "known.npz").shape
            sparse.save_npz(folder / "scores.npz", sparse.csr_array((values[known], lists[known], starts), shape=shape))
    np.save(folder / f"{name}.npy", lists)
    report["versions"] = {package: _version(package) for package in packages}
    (folder / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
