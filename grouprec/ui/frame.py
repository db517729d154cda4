"""What surrounds every page: page settings, the menu, the chosen run and dataset, the welcome."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from grouprec.core import usage
from grouprec.core.language import N_, _, short_minute
from grouprec.core.site import app_root
from grouprec.core.types import GrouprecError
from grouprec.data.library import KnownDataset, versions
from grouprec.report.html import moving
from grouprec.runs.forgotten import forgotten
from grouprec.runs.same_data import same_rows
from grouprec.runs.store import FINISHED, Run, State
from grouprec.training import jobs
from grouprec.ui import address, languages, leaving, people, sharing, state, tour
from grouprec.ui.cards import plain, short
from grouprec.ui.fragments import fragment
from grouprec.ui.server.health import page_seconds
from grouprec.ui.steps import title_of

SECTIONS = {
    N_("Decide"): {
        "decide": (N_("Decide"), ":material/task_alt:"),
        "compare": (N_("Compare"), ":material/leaderboard:"),
    },
    N_("Prepare"): {"data": (N_("Data"), ":material/table_view:"), "train": (N_("Train"), ":material/model_training:")},
    N_("Explore"): {
        "groups": (N_("Groups"), ":material/bubble_chart:"),
        "recommendations": (N_("Recommendations"), ":material/format_list_numbered:"),
    },
    N_("Live"): {"updates": (N_("Updates"), ":material/bolt:")},
}
POLL_SECONDS = 3
# White text needs a darker accent than text of that accent on a dark ground: there the latter has the colour of links.
# Streamlit's margins take an eighth of a laptop's window, which tables need.
# No last line of a text is a single word; `text-wrap` would wrap the labels of sliders, too.
# On a phone a headline has a row of its own, and a map leaves room to scroll beside it and bears numbers only: of the
# labels of map_labels.py, those with a name have two parts. Its controls stand two in a row, and what is beside it on
# a laptop stands below it in full. Fingers cannot hover: the tools of a table are then always seen, and need room.
STYLE = """<style>
button[data-selected="true"] p, [data-testid="stSliderThumbValue"] p { color: light-dark(#3f51b5, #a6b1f2) }
[data-testid="stMainBlockContainer"] { padding-inline: clamp(1rem, 3vw, 5rem) }
[data-testid="stSelectbox"] input { text-overflow: ellipsis }
[data-testid="stSidebarHeader"] { margin-bottom: 0.5rem }
[data-testid="stMarkdownContainer"] :is(h2, p) { text-wrap-style: pretty }
@media (max-width: 640px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-data_top) { min-width: 100% }
  [data-testid="stLayoutWrapper"]:has(> [class*="st-key-map_"]) { flex: none !important; height: 360px !important }
  [class*="st-key-map_"] { height: 100% !important }
  [data-testid="stColumn"]:has(.st-key-list_items):not(:has(.st-key-list_map)) { order: -1 }
  [class*="st-key-map_"] .annotation:has(tspan ~ tspan) { display: none }
  [data-testid="stHorizontalBlock"]:not(:has([data-testid="stHorizontalBlock"])):has(.st-key-groups_colour)
    > [data-testid="stColumn"] { min-width: calc(50% - 1rem) }
  [data-testid="stLayoutWrapper"]:has(> .st-key-groups_pane), .st-key-groups_pane
    { height: auto !important; max-height: none !important; overflow: visible !important }
}
@media (max-width: 640px) and (hover: none) {
  .stElementContainer:has([data-testid="stDataFrame"]) { margin-top: 1.6rem }
}
</style>"""
# Streamlit's containers take no role: screen readers would not find the menu among their landmarks.
landmark = component(
    "grouprec.landmark",
    js="""export default ({ parentElement, data }) => {
        const menu = parentElement.closest(".st-key-menu");
        menu?.setAttribute("role", "navigation");
        menu?.setAttribute("aria-label", data);
    }""",
    isolate_styles=False,
)
_DOTS = """<g fill="#6474d8"><circle cx="9" cy="10" r="4.5"/><circle cx="20" cy="8" r="3"/>
<circle cx="17" cy="17" r="3.6"/><circle cx="7" cy="22" r="3"/>
<circle cx="23" cy="25" r="4.5" fill-opacity=".55"/></g>"""
ICON = f"""<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32">{_DOTS}</svg>"""
LOGO = f"""<svg xmlns="http://www.w3.org/2000/svg" width="150" height="32" viewBox="0 0 150 32">{_DOTS}
<text x="36" y="23" font-family="system-ui, sans-serif" font-size="19" font-weight="650" fill="#6474d8">grouprec</text>
</svg>"""


def menu() -> dict[str, list[st.Page]]:
    """Return the pages whose script exists, by section; ``/`` is a page of its own that leads to the right one."""
    hidden = [
        st.Page(home, title=_("grouprec"), default=True, visibility="hidden"),
        st.Page(old_what_if, title=_("What if"), url_path="what_if", visibility="hidden"),
        st.Page(old_personas, title=_("Personas"), url_path="personas", visibility="hidden"),
    ]
    pages: dict[str, list[st.Page]] = {"": hidden}
    for section, entries in SECTIONS.items():
        there = [
            st.Page(state.page_path(name), title=_(title), icon=icon, url_path=name)
            for name, (title, icon) in entries.items()
            if (app_root() / "pages" / f"{name}.py").exists()
        ]
        if there:
            pages[_(section)] = there
    return pages


@partial(fragment, key="menu")
def draw_menu(pages: dict[str, list[st.Page]]) -> None:
    """Draw links to the pages that keep the chosen run and dataset, and what was chosen there.

    Streamlit's own menu leads to bare addresses; the page then writes what is chosen into them, and the browser's back
    button finds an address to each of these writings.
    """
    landmark(data=_("Pages"), height=1)
    for section, entries in pages.items():
        if section:
            st.caption(section)
            for page in entries:
                st.page_link(page, query_params=state.kept_query() | address.restored_at(page.url_path))


def home() -> None:
    """Lead to what is there: the decision of a finished run, the progress of an active one, else the welcome."""
    if state.missing_run() is not None:
        state.require_run()  # which says so
    run = state.current_run()
    if run is not None and run.usable:
        if tour.first_time():
            tour.go(1)
        state.open_page("decide")
    if run is not None or jobs.active(state.store()):
        state.open_page("train")
    welcome()


def old_what_if() -> None:
    """Lead links of 0.1.0 to where What if is now, with all that they say."""
    state.open_page("decide", **{**_said(), "view": "what_if"})


def old_personas() -> None:
    """Lead links to the page of personas to the tab that they are now, with all that they say."""
    state.open_page("recommendations", **{**_said(), "part": "personas"})


def _said() -> dict[str, str | list[str]]:
    """Return what a link says besides the run and the dataset."""
    names = [name for name in st.query_params if name not in ("run", "dataset")]
    values = {name: st.query_params.get_all(name) for name in names}
    return {name: value if len(value) > 1 else value[0] for name, value in values.items()}


def welcome() -> None:
    """Say in one sentence what this is, and offer one button."""
    with st.container(horizontal_alignment="center"):
        st.space("large")
        st.title(_("How many lists do you need, and for whom?"), text_alignment="center", anchor=False, width=720)
        st.text(
            _(
                "From a file of who bought what, grouprec finds groups of users, makes one list for every group, "
                "and shows what that costs against a personal list for everybody."
            ),
            width=640,
            text_alignment="center",
        )
        st.space("small")
        if st.button(_("Train the sample"), type="primary", icon=":material/play_arrow:", key="welcome_train"):
            train_sample()
        st.caption(_("A year of a real online shop; a minute or two on a laptop."), text_alignment="center")
        if st.button(_("or use your own file"), type="tertiary", key="welcome_data"):
            state.open_page("data")


def train_sample() -> None:
    """Start a quick run on the sample and show its progress."""
    from grouprec.runs.config import make_config

    sample = state.library().sample()
    title = f"{sample.name}, quick"
    try:
        sample.require_sound()
        config = make_config(
            title=title,
            dataset=sample.name,
            interactions=sample.interactions,
            roles=sample.roles,
            preset="quick",
            settings={"data": sample.preparation},
        )
        run = jobs.start(state.store(), config)
    except GrouprecError as error:
        st.error(plain(str(error)))
        return
    state.choose_run(run.run_id)
    state.open_page("train")


def sidebar(page: st.Page, pages: dict[str, list[st.Page]]) -> None:
    """Draw the menu, the chosen run and dataset, and the progress of an active run unless the page shows it itself."""
    top = st.container(gap="xsmall", key="menu")
    pick_run()
    pick_dataset()
    with top:
        draw_menu(pages)
    run = state.current_run()
    if run is not None and run.usable:
        more(run)
    leaving.draw_notices()
    active = jobs.active(state.store())
    if active is not None and page.url_path != "train":
        fragment(watch, POLL_SECONDS)(active.run_id)


def more(run: Run) -> None:
    """Offer what shows a finished run from one end to the other: the presenter, links to its views, the tour."""
    with st.container(horizontal=True, gap="small"):
        sharing.present_link(run, "tertiary")
        sharing.draw(run)
        if st.button(_("Take the tour"), icon=":material/explore:", type="tertiary"):
            tour.go(1)


def pick_run() -> None:
    """Offer the finished runs; the choice goes into the URL. Other runs are opened on the Train page."""
    current = state.current_run()
    chosen = current.run_id if current is not None else None
    runs = [run for run in state.store().runs() if run.finished or run.run_id == chosen]
    if not runs:
        return
    if current is not None:
        state.choose_run(current.run_id)
        people.note_opened(current.run_id)
        usage.use(current.path)
    labels = run_labels(runs)
    st.session_state["pick_run"] = chosen
    st.selectbox(
        _("Run"),
        list(labels),
        placeholder=_("Choose a run"),
        format_func=lambda run_id: labels[run_id],
        key="pick_run",
        on_change=lambda: state.choose_run(st.session_state["pick_run"]),
    )
    if current is not None:
        people.draw_sharing(current.path, N_("run"))
    if current is not None and (said := _said_of(current)):
        st.caption(said)


def _said_of(run: Run) -> str:
    """Return what whoever looks at a run should know, on whatever page; "" for nothing."""
    status = run.status()
    if status.state is State.DAMAGED:  # also in what only its title and tags are made of
        return plain(status.message)
    return forgotten(run).sentence() if run.usable else ""


def pick_dataset() -> None:
    """Offer the known datasets; the choice goes into the URL."""
    entries = {entry.key: entry for entry in state.library().list()}
    current = state.current_dataset()
    state.choose_dataset(current.key)
    names, numbers = Counter(entry.name for entry in entries.values()), versions(entries.values())
    labels = {
        key: entry.name
        if names[entry.name] == 1
        else _("{name}, version {numbers}").format(name=entry.name, numbers=numbers[key])
        for key, entry in entries.items()
    }
    st.session_state["pick_dataset"] = current.key
    st.selectbox(
        _("Dataset"),
        list(labels),
        format_func=lambda key: labels[key],
        key="pick_dataset",
        on_change=lambda: state.choose_dataset(st.session_state["pick_dataset"]),
    )
    if not current.is_sample:
        people.draw_sharing(state.library().folder(current), N_("dataset"))
    note_other_data(current)


def note_other_data(shown: KnownDataset) -> None:
    """Say which data the chosen run is of, where it is not the chosen dataset: Data and Train show that one."""
    run = state.current_run()
    choices = state.run_choices(run) if run else {}
    used = str(choices.get("interactions", ""))
    if run is not None and used and not same_rows(run, shown):
        name = plain(short(choices.get("dataset") or Path(used).name, 40))
        st.caption(_("The run is of other data: {name}.").format(name=name))


def run_labels(runs: list[Run]) -> dict[str, str]:
    """Return what every run is called: its title, with the time before it where others have the same.

    Of a damaged one it says so: its title may be that of before, and its tags may be missing.
    """
    titles = {run.run_id: run.title() for run in runs}
    often = Counter(titles.values())
    for run in runs:
        if often[run.title()] > 1:
            titles[run.run_id] = f"{short_minute(state.when(run.status().created))} · {run.title()}"
        titles[run.run_id] += "".join(f" #{tag}" for tag in run.notes().tags)
        titles[run.run_id] += _(" (damaged)") if run.status().state is State.DAMAGED else ""
    return distinct(titles)


def distinct(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels with the key behind those that occur twice: a selectbox tells its options by their labels."""
    often = Counter(labels.values())
    return {key: label if often[label] == 1 else f"{label} ({key})" for key, label in labels.items()}


def watch(run_id: str) -> None:
    """Show the progress of an active run; redraw the page once when it ends."""
    run = state.find_run(run_id)
    status = jobs.refresh(run) if run is not None else None
    if status is None or status.state in FINISHED:
        st.rerun()
    st.progress(status.fraction, text=_("Training: {stage}").format(stage=title_of(status.stage).lower()))
    if st.button(_("Watch"), type="tertiary", icon=":material/arrow_forward:", key="watch_train"):
        state.choose_run(run_id)
        state.open_page("train")


st.set_page_config(page_title="grouprec", page_icon=ICON, layout="wide")
st.logo(LOGO, size="large")
languages.arrive()
st.html(STYLE.replace("</style>", f"{moving.style()}{languages.style()}</style>"))
all_pages = menu()
current_page = st.navigation(all_pages, position="hidden")
people.stop_strangers()
address.arrive(current_page.url_path)
try:
    with st.sidebar:
        sidebar(current_page, all_pages)
        people.draw_account()
        languages.draw()
    tour.draw(current_page.url_path)
    with page_seconds(current_page.url_path):
        current_page.run()
except GrouprecError as error:
    st.error(plain(str(error)))
