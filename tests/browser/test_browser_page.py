"""The page in a browser: it loads nothing, can be used by keyboard, draws its plots, and axe-core finds no fault."""
# the expected value stands on the left

import page_samples
import pytest
from samples import header

from suite.report.page import PAGE, RunContent, document, write
from suite.report.results.folder import RunFolder

pytestmark = [pytest.mark.system, pytest.mark.browser]

PLOTTED = ("scatter", "roofline", "sweeps", "ratios", "history")
LAST = "provenance"
ALL_DRAWN = "() => [...document.querySelectorAll('.plot')].every((one) => one.dataset.drawn)"
SCROLL = """async () => {
  for (const place of document.querySelectorAll(".plot, section")) {
    place.scrollIntoView();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }
}"""
WITHOUT_UNPACKING = "delete globalThis.DecompressionStream"


def seen_whole(opened):
    """Scroll through the page until all plots and tables are there."""
    opened.page.evaluate(SCROLL)
    opened.page.wait_for_selector("#measurements-table table")
    opened.page.wait_for_function(ALL_DRAWN)


def texts(opened, selector):
    return opened.page.locator(selector).all_inner_texts()


def column(opened, title, table="cells-table"):
    """The texts of a column on the page of the table that is shown."""
    heads = [text.strip(" ▲▼") for text in texts(opened, f"#{table} thead th")]
    return texts(opened, f"#{table} tbody tr > :nth-child({1 + heads.index(title)})")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desk", "phone"])
def test_axe_finds_no_violation_of_any_impact(open_page, whole_page, width, scheme):
    """With every table and plot on the page, and every list that is shown on demand."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    opened = open_page(whole_page, width=width, scheme=scheme)
    seen_whole(opened)
    opened.page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = axe.run(opened.page).response["violations"]
    assert [] == [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]]) for one in found]


def test_it_requests_nothing_and_the_console_stays_empty(open_page, whole_page):
    opened = open_page(whole_page)
    seen_whole(opened)
    assert [whole_page.as_uri()] == opened.requests
    assert [] == opened.console


def test_every_plot_is_drawn(open_page, whole_page):
    """Each holds traces of the library."""
    opened = open_page(whole_page)
    seen_whole(opened)
    for name in PLOTTED:
        plots = opened.page.locator(f"#{name} .plot")
        assert plots.count() > 0, name
        for place in range(plots.count()):
            assert plots.nth(place).locator(".trace").count() > 0, (name, place)


def test_a_phone_needs_no_scrolling_sideways(open_page, whole_page):
    """But within tables."""
    opened = open_page(whole_page, width="phone")
    seen_whole(opened)
    assert 400 >= opened.page.evaluate("document.documentElement.scrollWidth")


def test_rows_are_selected_by_verdict(open_page, whole_page):
    opened = open_page(whole_page)
    opened.page.select_option("#cells-table select[data-name=verdict]", label="inconclusive")
    assert {"inconclusive"} == set(column(opened, "verdict"))
    opened.page.select_option("#cells-table select[data-name=verdict]", label="all")
    assert {"inconclusive"} < set(column(opened, "verdict"))


def test_rows_are_selected_by_parts_of_the_name(open_page, whole_page):
    """All words, in any order and case."""
    opened = open_page(whole_page)
    opened.page.fill("#cells-table input[type=search]", "RATIO=0.5 pruning")
    assert {"structured_pruning(ratio=0.5)", "structured_pruning(ratio=0.5,epochs=5)"} == set(
        column(opened, "technique")
    )


def test_a_column_is_sorted_by_keyboard(open_page, whole_page):
    """Its head is a button that keeps the focus; missing values come last in both directions."""
    opened = open_page(whole_page)
    head = opened.page.locator("#cells-table button[data-name=speedup]")
    head.focus()
    directions = {}
    for direction in ("ascending", "descending"):
        opened.page.keyboard.press("Enter")
        assert direction == head.locator("..").get_attribute("aria-sort")
        assert "speedup" == opened.page.evaluate("document.activeElement.dataset.name")
        values = [float(text.partition("x")[0]) for text in column(opened, "speed-up")]
        assert sorted(values, reverse=direction == "descending") == values
        directions[direction] = values
    assert directions["ascending"][0] < directions["descending"][0]


def test_texts_are_sorted_too(open_page, whole_page):
    opened = open_page(whole_page)
    opened.page.click("#cells-table button[data-name=technique]")
    names = column(opened, "technique")
    assert sorted(names) == names


def test_the_first_key_leads_past_the_contents(open_page, whole_page):
    """Then on through filters, table and pages without a pointer."""
    opened = open_page(whole_page)
    opened.page.keyboard.press("Tab")
    assert "Skip to the verdicts" == opened.page.evaluate("document.activeElement.textContent")
    opened.page.keyboard.press("Enter")
    passed = set()
    for _ in range(80):
        opened.page.keyboard.press("Tab")
        passed.add(
            opened.page.evaluate("document.activeElement.closest('section')?.id + ' ' + document.activeElement.tagName")
        )
    assert {"verdicts DIV", "tradeoffs SELECT", "tradeoffs INPUT", "tradeoffs BUTTON", "tradeoffs DIV"} <= passed
    assert "scatter SELECT" in passed


def test_rows_come_in_pages(open_page, whole_page):
    """A hundred at a time."""
    opened = open_page(whole_page)
    first = column(opened, "technique")
    opened.page.click("#cells-table >> text=Next rows")
    assert "page 2 of 3" in opened.page.inner_text("#cells-table")
    assert first != column(opened, "technique")
    opened.page.click("#cells-table >> text=Previous rows")
    assert first == column(opened, "technique")
    assert 100 == len(first)


def test_further_columns_are_shown_on_demand(open_page, whole_page):
    opened = open_page(whole_page)
    assert 8 == len(texts(opened, "#cells-table thead th"))
    opened.page.click("#cells-table summary")
    opened.page.check("#cells-table input[data-name=family]")
    assert {"pruning", "quantization"} <= set(column(opened, "family"))


def test_measurements_show_their_bounds_and_units(open_page, whole_page):
    """Shares in percent, bytes in a unit that fits."""
    opened = open_page(whole_page)
    opened.section("measurements")
    opened.page.select_option("#measurements-table select[data-name=metric]", label="accuracy")
    assert all("%" in text for text in column(opened, "value", "measurements-table"))
    opened.page.select_option("#measurements-table select[data-name=metric]", label="artefact_bytes")
    assert all(text.endswith("B") for text in column(opened, "lower bound", "measurements-table"))


def test_the_scatter_follows_the_filters_and_overlays_machines(open_page, whole_page):
    opened = open_page(whole_page)
    opened.section("scatter")
    opened.page.select_option("#scatter select >> nth=0", label="digits_cnn")
    opened.page.wait_for_function(
        "() => document.querySelector('#scatter-plot').data?.filter((t) => t.mode !== 'lines').length === 2"
    )
    legend = opened.page.locator("#scatter .legendtext").all_text_contents()
    assert ["cpu-other", "cpu-x86_64-test-2c"] == sorted(legend)
    opened.page.fill("#cells-table input[type=search]", "static_int8")
    opened.page.wait_for_function("() => document.querySelector('#scatter-plot').data.every((t) => t.x.length === 1)")
    hover = opened.page.evaluate("document.querySelector('#scatter-plot').data.at(-1).customdata[0]")
    assert "suite bench --workload digits_cnn --technique static_int8 --device cpu" in hover
    opened.page.select_option("#scatter select >> nth=1", label="artefact")
    opened.page.wait_for_function(
        "() => document.querySelector('#scatter .xtitle').textContent === 'artefact in bytes'"
    )


def test_energy_is_an_axis_and_says_why_cells_lack_it(open_page, whole_page):
    """Two cells of each machine have it; the note counts the others, with the reason."""
    opened = open_page(whole_page)
    opened.section("scatter")
    opened.page.select_option("#scatter select >> nth=0", label="digits_cnn")
    opened.page.select_option("#scatter select >> nth=1", label="energy of an item")
    opened.page.wait_for_function(
        "() => document.querySelector('#scatter .xtitle')?.textContent === 'energy of an item in joules'"
    )
    drawn = "document.querySelector('#scatter-plot').data.filter((t) => t.mode !== 'lines').map((t) => t.x.length)"
    assert [2, 2] == opened.page.evaluate(drawn)
    note = opened.page.inner_text("#scatter-note")
    assert "selected cells lack one of the two values (absent: the cell was not timed)" in note
    opened.page.select_option("#scatter select >> nth=1", label="energy to the target")
    note = "document.querySelector('#scatter-note').textContent"
    opened.page.wait_for_function(f"() => {note}.startsWith('No selected cell has both values (absent: ')")
    assert [] == opened.console


def test_the_roofline_has_ceilings_and_cells_with_their_names(open_page, whole_page):
    """Lines of the scheme's colour, and a mark for each cell that was counted."""
    opened = open_page(whole_page)
    opened.section("roofline")
    opened.page.wait_for_selector("#roofline-plots .plot[data-drawn]")
    traces = opened.page.evaluate(
        "document.querySelector('#roofline-plots .plot').data.map((t) => [t.mode, t.x.length])"
    )
    assert [["lines", 2]] * 3 + [["markers", 2]] == traces
    names = opened.page.evaluate("document.querySelector('#roofline-plots .plot').data.at(-1).customdata")
    assert "digits_cnn baseline cpu" in names
    assert "2 cells" in opened.page.locator("#roofline-plots figcaption").first.inner_text()
    assert [] == opened.console


def test_the_share_of_fast_cells_falls_with_the_speed_up(open_page, whole_page):
    """Each machine has its line, and its caption names three points of it."""
    opened = open_page(whole_page)
    opened.section("speeds")
    opened.page.wait_for_selector("#fast-plots .plot[data-drawn]")
    share = opened.page.evaluate("document.querySelector('#fast-plots .plot').data[0].y")
    assert sorted(share, reverse=True) == share
    assert "fast_1.5 = " in opened.page.locator("#fast-plots figcaption").first.inner_text()
    assert [] == opened.console


def test_plots_follow_a_change_of_the_colour_scheme(open_page, whole_page):
    opened = open_page(whole_page)
    opened.section("scatter")
    opened.page.wait_for_selector("#scatter-plot[data-drawn]")
    background = "() => document.querySelector('#scatter-plot').layout.paper_bgcolor"
    assert "#ffffff" == opened.page.evaluate(background)
    opened.page.emulate_media(color_scheme="dark")
    opened.page.wait_for_function(f"() => ({background})() === '#0d1117'")


def test_hostile_names_are_text_everywhere(open_page, hostile_page):
    """In tables, captions and what is shown under the pointer."""
    opened = open_page(hostile_page)
    opened.page.wait_for_selector("#cells-table table")
    for name in ("scatter", "measurements", LAST):
        opened.section(name)
    opened.page.wait_for_selector("#scatter-plot[data-drawn]")
    assert 0 == opened.page.locator("main img").count()
    assert any("<img src=x onerror=alert(1)>" in name for name in column(opened, "technique"))
    hover = opened.page.evaluate("document.querySelector('#scatter-plot').data.at(-1).customdata.join()")
    assert "<img" not in hover
    assert [hostile_page.as_uri()] == opened.requests
    assert [] == opened.console


def test_printing_draws_what_was_not_seen_yet(open_page, whole_page):
    """All plots are on paper, wherever the reader was."""
    opened = open_page(whole_page)
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened.page.wait_for_function(ALL_DRAWN)


def test_a_scatter_of_many_cells_is_thinned_and_says_so(open_page, tmp_path, monkeypatch):
    """Those on the front stay."""
    monkeypatch.setattr(document, "MOST_POINTS", 20)
    folder = page_samples.write_run(tmp_path, page_samples.many_measurements(1200, workloads=1))
    opened = open_page(write([RunContent.read(folder)], folder.path / PAGE))
    opened.section("scatter")
    opened.page.wait_for_function(
        "() => document.querySelector('#scatter-note').textContent.includes('of 60 cells are drawn')"
    )
    drawn = opened.page.evaluate("document.querySelector('#scatter-plot').data.at(-1).marker.symbol")
    assert len(drawn) <= 20
    assert "circle" in drawn


def test_a_run_that_measured_nothing_opens(open_page, tmp_path):
    """It was ended right after its first line."""
    folder = RunFolder.create(tmp_path, header(groups=3))
    opened = open_page(write([RunContent.read(folder)], folder.path / PAGE))
    assert "0 of 0 rows" in opened.page.inner_text("#cells-table")
    opened.section("scatter")
    opened.page.wait_for_function(
        "() => document.querySelector('#scatter-note').textContent === 'No selected cell has both values.'"
    )
    assert [] == opened.console


def test_paper_has_no_controls(open_page, whole_page):
    opened = open_page(whole_page, scheme="dark")
    opened.page.emulate_media(media="print")
    assert not opened.page.is_visible("nav")
    assert not opened.page.is_visible("#cells-table .controls")
    assert "rgb(255, 255, 255)" == opened.page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_a_browser_that_cannot_unpack_says_so_and_shows_the_verdicts(open_page, whole_page):
    """As browsers before 2023 do."""
    opened = open_page(whole_page, script=WITHOUT_UNPACKING, ready=False)
    opened.page.wait_for_selector("#trouble:not([hidden])")
    assert "tradeoffs.csv and results.csv have all values" in opened.page.inner_text("#trouble")
    assert "regressed" in opened.page.inner_text("#verdicts")
