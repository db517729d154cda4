"""No headline, label or button outside the analyst's view asks its reader to know a term of art."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.runs.store import Run, RunStore
from tests.support.planted_groups import add_what_if
from tests.support.planted_run import add_judgement, build_run
from tests.support.small_run import copy_of
from tests.support.virtual_groups import use_virtual_groups
from tests.ui.opening import open_page

TERMS = (
    *("ndcg", "latent", "posterior", "oracle", "members' mean", "mean of the members", "silhouette", "encoder"),
    *("embedding", "hyperparameter", "regulari[sz]ation", "k-means", "ease", "als", "vae", "gan", "gru", "umap", "pca"),
    *("cosine", "jaccard", "isotonic", "bootstrap", "holm", "percentile", "calibration", "ablation", "frechet"),
    *("fréchet", "adjusted rand", "log-likelihood", "regime", "strict", "dedup", "hit rate", "precision", "recall"),
    *(
        "floor",
        "ceiling",
        "baseline",
        "held[- ]out",
        "epoch",
        "batch",
        "seed",
        "cluster",
        "segmentation",
        "borda",
        "loss(?:es)?",
    ),
)
JARGON = re.compile(rf"\b(?:{'|'.join(TERMS)})\b", re.IGNORECASE)
VIEWS = (
    ("decide", {}),
    ("decide", {"view": "what_if"}),
    ("decide", {"lists": "personal"}),
    ("groups", {}),
    ("recommendations", {}),
    ("recommendations", {"part": "feedback"}),
    ("recommendations", {"part": "user"}),
    ("recommendations", {"part": "personas"}),
    ("compare", {}),
    ("updates", {}),
    ("data", {}),
)
KINDS = (
    *("button", "selectbox", "multiselect", "radio", "checkbox", "toggle", "select_slider", "slider", "text_input"),
    *("number_input", "text_area", "metric", "tabs", "expander", "title", "header", "subheader"),
)
ELSEWHERE = ("download_button", "segmented_control", "button_group", "popover")  # that AppTest knows by their form only


@pytest.fixture
def run(runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    run = add_judgement(add_what_if(build_run(runs_folder)))
    use_virtual_groups(run, monkeypatch)
    return run


def spoken(app: AppTest) -> Iterator[str]:
    """Yield all headlines, labels, options and buttons of a page."""
    for element in app.markdown:
        if element.value.startswith("#"):
            yield element.value
    for kind in KINDS:
        for element in getattr(app, kind, None) or ():
            yield getattr(element, "label", None) or getattr(element, "value", "")
    for kind in ELSEWHERE:
        for element in app.get(kind):
            proto = getattr(element, "proto", None)
            yield str(getattr(proto, "label", ""))
            yield from (str(option.content) for option in getattr(proto, "options", ()) if hasattr(option, "content"))


@pytest.mark.parametrize(("page", "query"), VIEWS)
def test_no_headline_label_or_button_holds_a_term_of_art(page: str, query: dict[str, str], run: Run) -> None:
    said = list(spoken(open_page(page, **query)))
    assert len(said) > 3
    found = {(term, text) for text in said for term in JARGON.findall(text)}
    assert not found


@pytest.mark.parametrize(
    ("page", "query"),
    [("updates", {}), ("recommendations", {"part": "feedback"}), ("recommendations", {"part": "ways"})],
)
def test_nor_does_one_of_what_only_a_trained_run_has(
    page: str, query: dict[str, str], small_run: Run, runs_folder: RunStore
) -> None:
    app = open_page(page, run=copy_of(small_run, runs_folder).run_id, **query)
    said = [*spoken(app), *(element.value for element in app.markdown if element.value.startswith("**"))]
    assert len(said) > 3
    assert not {(term, text) for text in said for term in JARGON.findall(text)}


def test_the_terms_are_found_where_they_stand() -> None:
    assert JARGON.findall("Order of hits (nDCG@10)") and JARGON.findall("the members' mean of EASE")
    assert not JARGON.findall("Please release the recallable increase")
