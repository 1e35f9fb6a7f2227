"""The report in a real browser: no wider than its window, answers to the mouse, sorts, folds, light and dark."""

import re

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def report(page, project):
    """Open the report in a window of some width; says what the console complains about."""
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    def go(width=1400, scheme="light", anchor=""):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto("about:blank")
        page.goto(f"{(project / 'reports' / 'index.html').as_uri()}{anchor}")
        return page

    yield go
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1700, "height": 950})
    assert complaints == []
    assert [address for address in asked if not address.startswith(("file:", "about:"))] == []


def column(page, table, number):
    return page.locator(f"{table} tbody tr td:nth-child({number})").all_inner_texts()


@pytest.mark.parametrize("width", [1400, 1100, 900, 800, 400])
def test_nothing_is_wider_than_the_window_with_everything_open(report, width):
    page = report(width)
    page.get_by_role("button", name="Open all").click()
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == width
    beyond = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.evaluate(f"{beyond}.map(e => e.outerHTML.slice(0, 80))") == []


def test_sections_are_folded_and_an_address_or_a_link_opens_its_own(report):
    page = report()
    assert page.locator("details[open]").count() == 0
    page.locator("nav").get_by_text("power_vs_rest", exact=True).click()
    page.wait_for_selector("#task-power_vs_rest[open]")
    page = report(anchor="#task-W")
    page.wait_for_selector("#task-W[open]")
    assert page.locator("details[open]").count() == 1


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize(
    ("figure", "told"), [("parity", r"true .+, predicted .+ MHz"), ("importances", r"\d to .+ µs")]
)
def test_pictures_answer_to_the_mouse_and_to_the_keys(report, width, figure, told):
    page = report(width, anchor="#task-W")
    picture = page.locator(f'.live:has(img[src="figures/W-{figure}.png"])')
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    spots = page.evaluate("e => JSON.parse(e.querySelector('script').textContent)", picture.element_handle())
    left, top, right, bottom, _ = spots[0]
    page.wait_for_timeout(300)
    page.mouse.move(box["x"] + (left + right) / 2 * box["width"], box["y"] + (top + bottom) / 2 * box["height"])
    tip = page.locator("#tip")
    assert tip.is_visible()
    assert re.search(told, tip.inner_text())
    inside = tip.bounding_box()
    assert inside["x"] >= 0
    assert inside["x"] + inside["width"] <= width
    page.mouse.move(1, 1)
    assert not tip.is_visible()
    picture.focus()
    page.keyboard.press("ArrowRight")
    text = tip.inner_text()
    assert text in [told for *_, told in spots]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert tip.inner_text() == text
    page.keyboard.press("Escape")
    assert not tip.is_visible()


@pytest.mark.parametrize("width", [1400, 400])
def test_a_click_on_a_title_sorts_numbers_as_numbers(report, width):
    page = report(width)
    page.locator("#published summary").click()
    title = page.locator("#published th").get_by_role("button", name="published", exact=True)
    title.click()
    assert title.is_visible()
    values = [float(text) for text in column(page, "#published", 4)]
    assert values == sorted(values)
    assert title.locator("..").get_attribute("aria-sort") == "ascending"
    title.click()
    assert [float(text) for text in column(page, "#published", 4)] == sorted(values, reverse=True)
    page.locator("#published th").get_by_role("button", name="model", exact=True).click()
    models = column(page, "#published", 6)
    assert models == sorted(filter(None, models)) + [""] * models.count("")


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_page_is_as_light_or_dark_as_the_reader_likes(report, scheme, is_dark):
    page = report(scheme=scheme)
    channels = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (sum(map(int, channels[:3])) < 150) is is_dark
