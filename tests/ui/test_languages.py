"""Pages in the language of their visitor, whole: no English sentence is left on a Chinese page."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.core.language import speaking
from grouprec.runs.store import Run, RunStore
from grouprec.ui import languages, state
from tests.support.shown import latin_words, shown
from tests.support.small_run import copy_of
from tests.ui.opening import FRAME, PATIENCE, headline

VIEWS = (
    ("decide", {}),
    ("decide", {"view": "money"}),
    ("decide", {"view": "what_if"}),
    ("decide", {"lists": "personal"}),
    ("compare", {}),
    *(
        ("compare", {"view": "analyst", "part": part})
        for part in ("Methods", "How many lists", "Stages", "Left behind", "By group", "Strategies", "Fairness")
    ),
    *(
        ("compare", {"view": "analyst", "part": part})
        for part in ("Cold start", "Repeats", "Blend", "Feedback", "Runs")
    ),
    ("data", {}),
    ("train", {}),
    ("groups", {}),
    ("groups", {"view": "space"}),
    ("groups", {"against": "2"}),
    ("recommendations", {}),
    *(("recommendations", {"part": part}) for part in ("ways", "feedback", "user")),
    *(
        ("recommendations", {"part": "personas", "view": view})
        for view in ("lists", "costs", "members", "mixture", "liked")
    ),
    ("updates", {}),
    ("updates", {"mode": "send"}),
)
NAMES = frozenset(
    re.findall(
        r"\S+",
        "grouprec Language nDCG k-means K-means k-core mean EASE DNN ALS ELSA LSTM MF GRU VAE GAN PCA UMAP GFAR "
        "EP-FuzzDA Borda Holm Jaccard Mann-Whitney Wilson Kleinberg Masthoff MRR "
        "ndcg O'Connor KEY MEAN Xiao Nguyen Carbonell Goldstein "
        "et al Adam AdamW NAdam LightGCN Transformer RFM NMF KL ID CSV TSV JSON HTML PDF SQL LaTeX Markdown Parquet "
        "Excel GPU CPU GB MB UTC Enter auto log alpha Alpha time user user_time mixed standard thorough quick lines "
        "max softmax DPR Fréchet chet Fr export event group verdict method regime department toys POSTAGE cp gb "
        "GROUPREC POST API none sum last threshold weight binary squared ranking strict dedup id",
    )
)
DATA = re.compile(
    r"(?<![A-Za-z])(?:[Ii]tem(?: \d+)?|[Cc]ategory \d|region|north|south|east|west|u\d+|kind is|user_id|item_id"
    r"|quantity|timestamp|title"
    r"|planted(?:\.csv)?|Online Retail|sample|InvoiceNo|StockCode|Description|Quantity|InvoiceDate|UnitPrice|CustomerID"
    r"|Country|POSTAGE|DOTCOM|Manual|online_retail|parquet|csv|tsv|txt|gz|json|jsonl|ndjson|xlsx|utf-8)(?![A-Za-z])"
    r"|[\w-]*\d{6}[\w-]*|\([A-Z][^()]*\d{4}\)"
)
CODES = re.compile(r"^[\w. -]*$|^\{\"selection\"")  # of text encodings, behaviours and choices, which are no sentences


@pytest.fixture
def run(small_run: Run, runs_folder: RunStore) -> Run:
    return copy_of(small_run, runs_folder)


def visit(page: str, locale: str = "zh-CN", **query: str) -> AppTest:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    app.context = {"locale": locale}
    app.switch_page(state.page_path(page))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app


def english(app: AppTest) -> list[str]:
    """Return the texts of a page in which words stand that are neither Chinese nor names."""
    return [text for text in shown(app) if not CODES.match(text) and set(latin_words(DATA.sub(" ", text))) - NAMES]


@pytest.mark.parametrize(("page", "query"), VIEWS)
def test_no_english_sentence_is_left_on_a_chinese_page(page: str, query: dict[str, str], run: Run) -> None:
    assert english(visit(page, **query)) == []


def test_the_check_sees_english(run: Run) -> None:
    assert english(visit("decide", locale="en-US"))


def test_the_welcome_is_chinese(runs_folder: RunStore) -> None:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    app.context = {"locale": "zh-CN"}
    app.run()
    assert english(app) == []
    assert app.title[0].value == "您需要多少个列表，给谁？"


# -- which language


def test_a_browser_gets_its_own_language(run: Run) -> None:
    assert "群体" in headline(visit("groups")) and "groups" in headline(visit("groups", locale="fr-FR"))


def test_the_choice_holds_before_the_browser_and_is_in_the_url(run: Run) -> None:
    app = visit("groups", locale="en-US")
    app.selectbox(key="pick_language").select("zh").run()
    assert "群体" in headline(app)
    assert app.query_params["lang"] == "zh"
    assert "群体" in headline(visit("groups", locale="en-US", lang="zh"))
    assert "groups" in headline(visit("groups", lang="en"))


@pytest.mark.parametrize("sent", ["../../etc", "", None, "zh/../zh", "x" * 5000])
def test_a_language_that_nobody_offers_is_none(sent: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, written = {"pick_language": sent}, {}  # a client of its own may send any text
    monkeypatch.setattr(languages.st, "session_state", kept)
    monkeypatch.setattr(languages.st, "query_params", written)
    languages._choose()
    assert kept[languages.CHOSEN] == written[languages.ASKED] == "en"


def test_the_choice_goes_along_to_other_pages(run: Run) -> None:
    app = visit("updates", locale="en-US", lang="zh")
    app.query_params.clear()  # as the menu does
    with speaking("zh"):  # AppTest tells options by what this thread calls them
        app.switch_page(state.page_path("groups")).run()
    assert "群体" in headline(app)
    assert app.query_params["lang"] == "zh"


def test_the_servers_own_language_is_for_those_who_have_not_chosen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_LANGUAGE", "zh")
    assert "群体" in headline(visit("groups", locale="en-US"))
    assert "groups" in headline(visit("groups", locale="en-US", lang="en"))


def test_the_uploader_has_the_readers_word_for_its_own() -> None:
    assert languages.style() == ""
    with speaking("zh"):
        assert 'content: "上传"' in languages.style()


def test_what_is_made_once_per_server_is_made_for_every_language(run: Run) -> None:
    assert "groups" in headline(visit("groups", locale="en-US"))
    for page, query in (("groups", {"view": "space"}), ("recommendations", {}), ("decide", {}), ("data", {})):
        visit(page, locale="en-US", **query)
        assert english(visit(page, **query)) == []
