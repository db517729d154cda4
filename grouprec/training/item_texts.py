"""Item texts as vectors by a sentence model that lies on this disk; without one, texts are read by runs of letters."""

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
from grouprec.data.vectors import unit_rows
from grouprec.training.stage_cache import StageCache, key_of

MODEL = "GROUPREC_TEXT_MODEL"  # a folder that sentence-transformers reads


def with_text_vectors(cache: StageCache, data: Dataset) -> Dataset:
    """Return the data with its items' texts among their vectors; as it is where no model or no text is there.

    Raises:
        SettingError: the model is named and cannot be used.
    """
    frame = item_frame(data)
    columns = text_columns(frame)
    folder = os.environ.get(MODEL, "").strip()
    if not folder or not columns:
        return data
    new = data.new_items
    known = _joined(frame, columns)
    fresh = [] if new is None else _joined(item_frame(new), columns)
    texts = sorted({*known, *fresh})
    model = _fingerprint(Path(folder))
    with cache.progress.stage("item texts") as report:
        key = key_of("item texts", model, hashlib.sha256("\0".join(texts).encode()).hexdigest())
        saved = cache.store.find_stage(key, cache.run)
        report.reused = saved is not None
        vectors = saved[0]["vectors"] if saved else _encode(Path(folder), texts, cache.device)
        if saved is None:
            cache.run.save_stage(key, "texts", "sentence model", {}, {"vectors": vectors}, {"model": Path(folder).name})
    place = {text: at for at, text in enumerate(texts)}

    def beside(given: np.ndarray | None, own: list[str]) -> np.ndarray | None:
        read = np.array([vectors[place[text]] if text else np.zeros(vectors.shape[1]) for text in own])
        return unit_rows([*([] if given is None else [given]), read.reshape(len(own), -1).astype(np.float32)])

    if new is not None and len(new.ids):
        new = replace(new, vectors=beside(new.vectors, fresh))
    return replace(data, key=f"{data.key} texts {model}", item_vectors=beside(data.item_vectors, known), new_items=new)


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
            f"{MODEL} names '{folder}', which is no folder of a sentence-transformers model (it has no modules.json); "
            "correct it, or take it away to read texts without one."
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
        raise SettingError(f"The sentence model in '{folder}' cannot be read: {str(error).splitlines()[0]}") from error
    return np.asarray(model.encode(texts, convert_to_numpy=True, show_progress_bar=False), dtype=np.float32)
