"""Texts as vectors by a sentence model that lies on this disk; without one, they are read by letters or words."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import SettingError
from grouprec.data.dataset import Dataset
from grouprec.data.features import item_frame, text_columns
from grouprec.data.preparing.vectors import unit_rows
from grouprec.training.stage_cache import StageCache, key_of

MODEL = "GROUPREC_TEXT_MODEL"  # a folder that sentence-transformers reads


def with_text_vectors(cache: StageCache, data: Dataset) -> Dataset:
    """Return the data with its items' and users' texts among their vectors; as it is where no model or text is there.

    Raises:
        SettingError: the model is named and cannot be used.
    """
    folder = os.environ.get(MODEL, "").strip()
    if not folder:
        return data
    new, left = data.new_items, data.left_out
    items, users = item_frame(data), data.user_attributes
    of_items, of_users = text_columns(items), text_columns(users, of_items=False)
    told = {
        "items": _joined(items, of_items),
        "new": [] if new is None else _joined(item_frame(new), of_items),
        "users": _joined(users, of_users),
        "left": [] if left is None else _joined(left.attributes, of_users),
    }
    texts = sorted({text for own in told.values() for text in own})
    if not any(texts):
        return data
    model = _fingerprint(Path(folder))
    vectors = _read(cache, Path(folder), model, texts)
    place = {text: at for at, text in enumerate(texts)}

    def beside(given: np.ndarray | None, own: list[str]) -> np.ndarray | None:
        read = np.zeros((len(own), vectors.shape[1]), np.float32)
        for row, text in enumerate(own):
            read[row] = vectors[place[text]] if text else 0
        return unit_rows([*([] if given is None else [given]), read])

    known, seen = data.beside, data.item_vectors
    if of_items:
        seen = beside(seen, told["items"])
        new = new and replace(new, vectors=beside(new.vectors, told["new"]))
    if of_users:
        known = replace(known, vectors=beside(known.vectors, told["users"]))
        left = left and replace(left, beside=replace(left.beside, vectors=beside(left.beside.vectors, told["left"])))
    return replace(data, key=f"{data.key} texts {model}", item_vectors=seen, new_items=new, left_out=left, beside=known)


def _read(cache: StageCache, folder: Path, model: str, texts: list[str]) -> np.ndarray:
    """Return the model's vectors of texts, float32 [n, D]; read back where any run has them."""
    with cache.progress.stage("texts") as report:
        key = key_of("texts", model, hashlib.sha256("\0".join(texts).encode()).hexdigest())
        saved = cache.store.find_stage(key, cache.run)
        report.reused = saved is not None
        if saved is not None:
            return saved[0]["vectors"]
        vectors = _encode(folder, texts, cache.device)
        cache.run.save_stage(key, "texts", "sentence model", {}, {"vectors": vectors}, {"model": folder.name})
    return vectors


def _joined(frame: pd.DataFrame, columns: list[str]) -> list[str]:
    """Return the texts of every row, one after the other."""
    there = [frame[name].astype("str").fillna("") for name in columns if name in frame]
    return [". ".join(part for part in row if part) for row in zip(*there, strict=True)] if there else [""] * len(frame)


def _fingerprint(folder: Path) -> str:
    """Return a digest of the names and sizes of a model's files.

    Raises:
        SettingError: there is no such folder.
    """
    if not (folder / "modules.json").is_file():
        raise SettingError(
            f"{MODEL} names '{folder.name}', which is no folder of a sentence-transformers model (it has no "
            "modules.json); correct it, or take it away to read texts without one."
        )
    files = sorted((str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(repr(files).encode()).hexdigest()[:16]


def _encode(folder: Path, texts: list[str], device: str) -> np.ndarray:
    """Return the model's vectors of texts, float32 [n, D]. Nothing is fetched, and no code or pickle of it is run.

    Raises:
        SettingError: the library is not installed, or the model cannot be read.
    """
    try:
        import sentence_transformers  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise SettingError(
            f"{MODEL} needs sentence-transformers, which is not installed here: pip install 'grouprec-studio[text]'."
        ) from error
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = sentence_transformers.SentenceTransformer(
            str(folder), device=device, model_kwargs={"use_safetensors": True}, **safe
        )
    except Exception as error:  # its loaders raise what they like
        raise SettingError(f"The sentence model in '{folder.name}' cannot be read ({type(error).__name__})") from error
    return np.asarray(model.encode(texts, convert_to_numpy=True, show_progress_bar=False), dtype=np.float32)
