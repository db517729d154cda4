"""The guided tour: it starts by itself once, leads through all pages, and ends where it is told to."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from grouprec.runs.store import Run
from grouprec.ui import state, tour
from tests.ui.opening import FRAME, PATIENCE


def visit() -> AppTest:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
    assert not app.exception
    return app


def at_stop(app: AppTest) -> str | None:
    found = app.query_params.get("tour")
    return found[0] if isinstance(found, list) else found


def test_the_first_visit_to_a_finished_run_is_guided_and_the_second_is_not(finished_run: Run) -> None:
    assert at_stop(visit()) == "1"
    assert at_stop(visit()) is None


def test_next_leads_through_every_page_with_the_same_run_to_the_end(finished_run: Run) -> None:
    app = visit()
    for number, stop in enumerate(tour.STOPS, start=1):
        app.switch_page(state.page_path(stop.page))
        app.query_params["tour"] = str(number)
        app.query_params["run"] = finished_run.run_id
        app.run()
        assert not app.exception
        assert any(stop.title in text.value for text in app.markdown)
        last = number == len(tour.STOPS)
        assert any(button.key == "tour_next" for button in app.button) is not last
    assert any(button.key == "tour_back" for button in app.button)


def test_a_step_that_is_none_shows_no_bar(finished_run: Run) -> None:
    visit()
    for wrong in ("0", "99", "x", "²", "1"):  # the last one is of another page
        app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
        app.switch_page(state.page_path("groups"))
        app.query_params["tour"] = wrong
        app.run()
        assert not app.exception and not any(button.key == "tour_end" for button in app.button)


def test_the_tour_can_be_taken_again_from_the_sidebar(finished_run: Run) -> None:
    visit()
    app = visit()
    next(button for button in app.sidebar.button if button.label == "Take the tour").click().run()
    assert at_stop(app) == "1"
