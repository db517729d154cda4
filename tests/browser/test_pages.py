"""Every page on a small finished run: by deep link in light, in the dark and on a phone, and what people do there."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from grouprec.live.feedback import verdicts
from grouprec.runs.store import Run, RunStore
from tests.browser.conftest import LAPTOP, PAGES, PHONE, SMALL_LAPTOP, Server, Tab
from tests.support.small_run import copy_of

pytestmark = pytest.mark.browser
MOST_SCREENS = 1.6  # of a laptop, that a page is long
ROW = 35  # pixels of a table's row
# What reaches beyond the window and is not in something that scrolls or hides it. Tables keep the width of the window
# that they were opened in, hidden by what is around them.
STICKS_OUT = """main => [...main.querySelectorAll("*")].filter(element => {
    const box = element.getBoundingClientRect();
    if (element.closest("[data-testid=stDataFrame]")) return false;
    if (box.width < 2 || box.height < 2 || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
    for (let above = element.parentElement; above && above !== main; above = above.parentElement)
        if (getComputedStyle(above).overflowX !== "visible" && above.getBoundingClientRect().right <= innerWidth + 1)
            return false;
    return true;
}).map(element => element.outerHTML.slice(0, 120))"""
ANALYST = (
    "Methods",
    "How many lists",
    "Stages",
    "Left behind",
    "By group",
    "Fairness",
    "Cold start",
    "Repeats",
    "Runs",
)
VIEWS = (
    "decide?view=money",
    "decide?view=what_if",
    "groups?group=1&against=2",
    "groups?view=space",
    "groups?find=i0",
    *(f"recommendations?part={part}" for part in ("ways", "personas", "feedback", "user")),
    *(f"recommendations?part=personas&view={view}" for view in ("members", "mixture", "liked")),
    *(f"compare?view=analyst&part={part}" for part in ANALYST),
    "updates?mode=send",
)
NOT_OURS = {"color-contrast": ".stElementContainer:has([disabled])"}  # labels of what is disabled may be faint


@pytest.fixture(scope="module", autouse=True)
def run(server: Server, small_run: Run) -> Run:
    """A small run, there before the first visit."""
    return copy_of(small_run, RunStore(server.runs))


def open_page(tab: Tab, name: str, run: Run, **query: str) -> Locator:
    """Open a page by a deep link and return its main part."""
    more = "".join(f"&{key}={value}" for key, value in query.items())
    tab.open(f"/{name}?run={run.run_id}{more}")
    main = tab.page.locator("[data-testid=stMain]")
    expect(main.locator("h1, h2, h3").first).to_be_visible()
    expect(tab.page.locator("[data-testid=stException]")).to_have_count(0)
    expect(tab.page.get_by_text("Page not found")).to_have_count(0)
    return main


def choose_row(tab: Tab, table: Locator, row: int) -> None:
    """Select a row of a table, from 0, by its box on the left.

    Tables are painted on a canvas; a click that comes before the canvas listens is lost, so it is given again.
    """
    line = table.locator(f"tr[aria-rowindex='{row + 2}']")
    expect(line).to_be_attached()
    for _ in range(3):
        table.locator(".dvn-scroller").first.click(position={"x": 18, "y": 36 + ROW * (row + 0.5)})
        tab.settled()
        try:
            expect(line).to_have_attribute("aria-selected", "true", timeout=20_000)
            return
        except AssertionError:
            continue
    raise AssertionError(f"row {row} could not be selected")


def test_a_first_visit_to_a_finished_run_is_led_from_page_to_page(tab: Tab, run: Run) -> None:
    page = tab.page
    tab.open("/")
    expect(page).to_have_url(re.compile("/decide.*tour=1"))
    for name in ("groups", "recommendations", "compare", "updates", "data"):
        page.get_by_role("button", name="Next").click()
        expect(page).to_have_url(re.compile(f"/{name}"))
        tab.settled()
    page.get_by_role("button", name="End the tour").click()
    expect(page.get_by_role("button", name="End the tour")).to_have_count(0)


def test_links_of_earlier_versions_open_the_tabs_that_pages_have_become(tab: Tab, run: Run) -> None:
    tab.open(f"/what_if?run={run.run_id}&lists=2")
    expect(tab.page).to_have_url(re.compile("/decide.*view=what_if"))
    tab.settled()
    expect(tab.page.get_by_text("change group")).to_be_visible()
    tab.open(f"/personas?run={run.run_id}&view=liked&liked=i00003&liked=i00007")
    expect(tab.page).to_have_url(re.compile("/recommendations.*part=personas"))
    tab.settled()
    expect(tab.page.get_by_text("Whoever likes Item 3 and 1 more item")).to_be_visible()


def test_a_click_on_the_map_opens_the_list_of_the_users_group(tab: Tab, run: Run) -> None:
    open_page(tab, "recommendations", run)
    page, said = tab.page, tab.page.locator("[data-testid=stMain] h2").first
    before = said.inner_text()
    box = page.locator(".st-key-list_map .nsewdrag").first.bounding_box()
    assert box is not None
    for across, down in itertools.product((0.3, 0.5, 0.7, 0.4, 0.6), repeat=2):
        page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.wait_for_timeout(1_500)  # a click beside all users does nothing, which cannot be waited for
        if re.search("group=(?!1$)", page.url):
            break
    tab.settled()
    group = re.search(r"group=(\d+)", page.url)
    assert group is not None
    expect(said).not_to_have_text(before)
    chosen = run.table("groups").set_index("group")["name"][int(group[1])]
    expect(said).to_contain_text(str(chosen))


def is_short_and_open(tab: Tab, main: Locator) -> None:
    """Hold a page to its length on both laptops, and to what everybody can use, in light and dark."""
    for laptop in (LAPTOP, SMALL_LAPTOP):
        tab.page.set_viewport_size(laptop)
        tab.settled()
        assert main.evaluate("element => element.scrollHeight") <= MOST_SCREENS * laptop["height"], laptop
    assert violations(tab.page) == []
    tab.page.emulate_media(color_scheme="dark")
    expect(tab.page.locator("[data-testid=stApp]")).to_have_css("color-scheme", "dark")
    tab.settled()
    assert violations(tab.page, ["color-contrast"]) == []  # the same page, but for its colours


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_by_a_deep_link_in_light_and_dark_and_on_a_phone(tab: Tab, name: str, run: Run) -> None:
    main = open_page(tab, name, run)
    is_short_and_open(tab, main)
    tab.page.set_viewport_size(PHONE)
    tab.settled()
    assert tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    tab.page.wait_for_function(f"() => !({STICKS_OUT})(document.querySelector('[data-testid=stMain]')).length")


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_behind_tabs_is_short_and_open_to_everybody_too(tab: Tab, view: str, run: Run) -> None:
    name, _, query = view.partition("?")
    main = open_page(tab, name, run, **dict(part.split("=") for part in query.split("&")))
    is_short_and_open(tab, main)


@pytest.mark.parametrize("tab", ["phone"], indirect=True)
def test_a_map_on_a_phone_leaves_room_to_scroll_and_bears_numbers_only(tab: Tab, run: Run) -> None:
    open_page(tab, "groups", run)
    chart = tab.page.locator(".st-key-groups_map")
    expect(chart.locator(".annotation").first).to_be_attached()
    box = chart.bounding_box()
    assert box is not None and box["height"] <= 0.45 * PHONE["height"]
    expect(chart.locator(".annotation:has(tspan ~ tspan)").first).to_be_hidden()
    expect(chart.locator(".annotation:not(:has(tspan ~ tspan))").first).to_be_visible()
    pane = tab.page.locator(".st-key-groups_pane")
    assert pane.evaluate("element => element.scrollHeight - element.clientHeight") <= 1, "a page within the page"


def test_six_views_are_turned_by_keys_and_by_touch_and_their_number_is_in_the_address(tab: Tab, run: Run) -> None:
    open_page(tab, "decide", run)
    with tab.page.context.expect_page() as opened:
        tab.page.get_by_role("link", name="Present").first.click()
    page = tab.page = opened.value
    said = page.locator(".view:visible h1")
    expect(said).to_contain_text("interactions of")
    seen = [said.inner_text()]
    for number in range(2, 7):
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile(f"/present.run={run.run_id}#view-{number}$"))
        seen.append(said.inner_text())
    assert len(set(seen)) == 6 and "of 100 people" in seen[3]
    assert page.locator("[data-testid=stSidebar], input").count() == 0
    page.keyboard.press("ArrowRight")
    page.reload()
    expect(said).to_have_text(seen[5])
    page.go_back()
    expect(said).to_have_text(seen[4])
    page.locator(".view:visible").get_by_role("link", name="View before").click()
    expect(said).to_have_text(seen[3])
    fits = """number => {
        location.hash = `view-${number}`;
        return [document.body.scrollWidth <= innerWidth, document.body.scrollHeight <= innerHeight];
    }"""
    for width, height in ((1440, 900), (1280, 720), (1920, 1080), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for number in range(1, 7):
            wide, high = page.evaluate(fits, number)
            assert wide and (high or width == PHONE["width"]), (width, number)
    page.add_style_tag(content=".view { display: grid !important }")
    assert violations(tab.page) == []
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(f"/decide.run={run.run_id}"))


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe-core finds serious or critical about what we draw, by some rules or by all."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": rules}} if rules else {})
    found = []
    for violation in Axe().run(page, options=options).response["violations"]:
        if violation["impact"] not in ("serious", "critical"):
            continue
        for node in violation["nodes"]:
            theirs = NOT_OURS.get(violation["id"], "none")
            inside = f"element => element.closest({theirs!r}) !== null"
            if not page.locator(node["target"][0]).first.evaluate(inside):
                found.append(f"{violation['id']}: {node['html'][:200]}")
    return found


def test_the_slider_of_lists_changes_the_answer_and_the_link(tab: Tab, run: Run) -> None:
    main = open_page(tab, "decide", run)
    answer = main.locator("h1, h2, h3").first
    before = answer.inner_text()
    label = tab.page.locator("[data-testid=stSliderThumbValue]").first.bounding_box()
    assert label is not None and label["height"] < ROW, "its label is one line, wider than the thumb"
    thumb = tab.page.get_by_role("slider").first
    thumb.focus()
    thumb.press("ArrowLeft")
    expect(answer).not_to_have_text(before)
    expect(tab.page).to_have_url(re.compile("lists="))
    after = answer.inner_text()
    tab.page.reload()
    tab.settled()
    expect(main.locator("h1, h2, h3").first).to_have_text(after)


def test_back_and_forward_show_what_was_seen(tab: Tab, run: Run) -> None:
    """One step of the browser for one step of the reader, on a page and from page to page."""
    open_page(tab, "decide", run, dataset="sample")
    page, thumb = tab.page, tab.page.locator("[data-testid=stSliderThumbValue]").first
    own, begun = thumb.inner_text(), page.evaluate("history.length")
    page.get_by_role("slider").first.press("ArrowLeft")
    expect(page).to_have_url(re.compile("lists="))
    tab.settled()
    chosen = thumb.inner_text()
    page.get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile("/compare.*run="))
    expect(page.locator(".st-key-compare_five")).to_be_visible()
    tab.settled()
    assert chosen != own and page.evaluate("history.length") == begun + 2
    page.go_back()
    expect(thumb).to_have_text(chosen)
    page.go_back()
    expect(thumb).to_have_text(own)
    page.go_forward()
    expect(thumb).to_have_text(chosen)
    page.go_forward()
    expect(page.locator(".st-key-compare_five")).to_be_visible()


def test_the_menu_is_a_landmark_whose_links_take_the_number_of_lists_along_in_one_step(tab: Tab, run: Run) -> None:
    open_page(tab, "decide", run, dataset="sample")
    page, menu = tab.page, tab.page.get_by_role("navigation", name="Pages")
    begun = page.evaluate("history.length")
    page.get_by_role("slider").first.press("ArrowLeft")
    expect(page).to_have_url(re.compile("lists=3"))
    expect(menu.get_by_role("link", name="Groups")).to_have_attribute("href", re.compile("lists=3"))
    menu.get_by_role("link", name="Groups").click()
    expect(page.get_by_text("as chosen on Decide")).to_be_visible()
    tab.settled()
    assert page.evaluate("history.length") == begun + 2
    page.go_back()
    expect(page.locator("[data-testid=stSliderThumbValue]").first).to_have_text("3")


def test_users_in_a_lasso_go_into_a_csv_file(tab: Tab, run: Run) -> None:
    open_page(tab, "groups", run)
    page = tab.page
    tab.lasso(page.get_by_text("users selected"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these users").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) > 3


def test_an_item_tells_why_it_is_on_the_list(tab: Tab, run: Run) -> None:
    open_page(tab, "recommendations", run)
    why = tab.page.locator(".st-key-why")
    expect(why).to_contain_text("is number 1")
    choose_row(tab, tab.page.locator(".st-key-list_items"), 1)
    expect(why).to_contain_text("is number 2")
    expect(why.locator(".js-plotly-plot")).to_have_count(1)  # the last item's stays until its own is there


def test_feedback_counts_at_once_and_is_kept(tab: Tab, run: Run) -> None:
    open_page(tab, "recommendations", run, part="feedback")
    page = tab.page
    table = page.locator("[class*=st-key-feedback_][class*=_rows_]").first
    table.scroll_into_view_if_needed()
    choose_row(tab, table, 0)
    page.get_by_role("button", name="Hide", exact=True).first.click()
    tab.settled()
    expect(page.get_by_role("button", name="Hide", exact=True).first).to_be_disabled()
    assert verdicts(run)["verdict"].tolist() == ["hide"]


def test_the_report_opens_without_a_network(tab: Tab, run: Run, browser: Browser, tmp_path: Path) -> None:
    open_page(tab, "compare", run)
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Report of this run").click()
    story = tmp_path / "story.html"
    download.value.save_as(story)
    context = browser.new_context(offline=True)
    page, trouble = context.new_page(), []
    page.on("request", lambda request: trouble.append(request.url) if not request.url.startswith("file:") else None)
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(story.as_uri())
    expect(page.locator("h1")).to_be_visible()
    assert trouble == [] and page.locator("svg").count() > 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == [], scheme
    context.close()


def test_a_messy_file_is_read_with_the_columns_that_the_user_names(tab: Tab) -> None:
    page = tab.page
    tab.open("/data")
    lines = ["kunde;was;anzahl;am"]
    lines += [f"00{n % 19};Teil {n % 7};{n % 3 + 1},5;{n % 27 + 1:02d}.03.2024" for n in range(400)]
    lines += ["003;;1;05.03.2024", ";Teil 1;1;06.03.2024"]
    content = "\r\n".join(lines).encode("latin-1")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "messy.csv", "mimeType": "text/csv", "buffer": content}
    )
    main = page.locator("[data-testid=stMain]")
    expect(page).to_have_url(re.compile("dataset=[0-9a-f]{16}"))
    tab.settled()
    main.get_by_role("tab", name="Columns").click()
    for role, column in (("User", "kunde"), ("Item", "was"), ("Time", "am")):
        main.get_by_role("combobox", name=re.compile(f"\\b{role}\\b")).first.click()
        page.get_by_role("option", name=column, exact=True).click()
        tab.settled()
    expect(page.get_by_role("button", name="Continue to training").first).to_be_visible()
    expect(main.get_by_text(re.compile("There are 19 users"))).to_be_visible()


def test_a_large_file_goes_to_the_disk_of_the_server(tab: Tab, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    file.write_text("user,item,time\n" + "".join(f"u{n % 20},i{n % 7},2024-01-{n % 28 + 1:02d}\n" for n in range(500)))
    tab.open("/data")
    tab.page.get_by_role("button", name="Larger than 200 MB").click()
    tab.page.locator("input#file").set_input_files(file)
    expect(tab.page.get_by_text("20 users and 7 items").first).to_be_visible()
    expect(tab.page.locator("input#file")).to_have_count(0)  # what it came by has closed


def test_another_number_of_lists_becomes_a_run_that_reads_back_what_was_learned_before(tab: Tab, run: Run) -> None:
    open_page(tab, "decide", run, lists="3", view="what_if")
    page = tab.page
    page.get_by_role("button", name="Use 3 lists").click()
    expect(page).to_have_url(re.compile(rf"/train\?.*run=(?!{run.run_id})"))
    expect(page.get_by_text("finished in").first).to_be_visible(timeout=300_000)
    made = RunStore(tab.server.runs).get("last")
    assert made.run_id != run.run_id and made.finished
    assert (made.config().n_groups, made.config().encoders) == (3, run.config().encoders)
    reused = {event["stage"]: event["reused"] for event in made.events() if event["event"] == "stage_done"}
    assert all(reused[stage] for stage in ("encoder ease", "encoder dnn", "blend", "updater"))
    assert not reused["judge: groups"]
