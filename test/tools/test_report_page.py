"""The HTML report in a browser: it loads without a network, draws, filters, sorts, and fits a phone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import good  # noqa: E402
from test_explain import light, reported  # noqa: E402

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "scripts/setup installs chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("page")
    data = reported(light("squeezenet"), folder, "--target", "edge-128k")
    good("explain", folder / "net.acc", "--report", folder / "net.html")
    return folder / "net.html", data


def opened(browser: Browser, path: Path, size: dict, scheme: str = "light") -> tuple[Page, list[str]]:
    """The page and what it complains of; any request that leaves the machine is one."""
    context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:", "blob:")) else None)
    page.goto(path.as_uri())
    page.wait_for_selector("#treemap .slice")
    page.wait_for_selector("#sram .bars .point")
    return page, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_loads_and_draws(browser: Browser, report: tuple[Path, dict], size: dict, scheme: str) -> None:
    path, data = report
    page, said = opened(browser, path, size, scheme)
    dram = data["dram"]
    assert f"{dram['read_bytes'] + dram['write_bytes']:,}" in page.inner_text("#cards")
    # A slice for everything, each reason, and each tensor in it.
    slices = 1 + len(data["causes"]) + sum(len(tensor["causes"]) for tensor in data["tensors"])
    assert page.locator("#treemap .slice").count() == slices
    assert page.locator("#sram .bars .point").count() == len(data["sram"]["occupants"])
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "wider than the screen"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = page.evaluate("getComputedStyle(document.body).color")
    dark = [sum(map(int, colour[4:-1].split(","))) < 384 for colour in (ground, ink)]
    assert dark == [scheme == "dark", scheme != "dark"]
    assert said == []
    page.context.close()


def test_table_filters_and_sorts(browser: Browser, report: tuple[Path, dict]) -> None:
    path, data = report
    page, said = opened(browser, path, DESK)
    rows = page.locator("#table tbody tr")
    cells = lambda column: rows.locator(f"td:nth-child({column})").all_inner_texts()  # noqa: E731
    numbers = lambda column: [int(text.replace(",", "")) for text in cells(column)]  # noqa: E731
    assert rows.count() == sum(line["cause"] != "compulsory" for line in data["lines"])
    page.select_option("#cause", "")
    assert rows.count() == len(data["lines"])
    assert numbers(1) == sorted(numbers(1), reverse=True)

    page.select_option("#cause", "illegal-fusion")
    wanted = [line for line in data["lines"] if line["cause"] == "illegal-fusion"]
    assert rows.count() == len(wanted) > 0 and set(cells(2)) == {"illegal-fusion"}
    assert f"{sum(line['bytes'] for line in wanted):,} bytes" in page.inner_text("#count")
    page.click("#table th:nth-child(1) button")
    assert numbers(1) == sorted(numbers(1))

    page.select_option("#cause", "")
    page.fill("#search", "n62 write")
    assert 0 < rows.count() < len(data["lines"])
    assert all("n62" in row for row in rows.all_inner_texts())
    page.fill("#search", "no such thing")
    assert rows.count() == 0
    page.fill("#search", "")
    for view, key in (("tensors", "tensors"), ("nodes", "nodes")):
        page.select_option("#view", view)
        assert rows.count() == len(data[key])
    page.select_option("#view", "groups")
    assert rows.count() == sum(len(group["alternatives"]) for group in data["groups"])
    assert said == []
    page.context.close()


def test_treemap_chooses_the_reason(browser: Browser, report: tuple[Path, dict]) -> None:
    path, data = report
    page, said = opened(browser, path, DESK)
    page.locator("#treemap .slice text", has_text="illegal-fusion").first.click(force=True)
    page.wait_for_function("document.getElementById('cause').value === 'illegal-fusion'")
    rows = page.locator("#table tbody tr")
    assert rows.count() == sum(line["cause"] == "illegal-fusion" for line in data["lines"])
    assert said == []
    page.context.close()


def test_names_cannot_break_the_page(browser: Browser, tmp_path: Path) -> None:
    """Names in a model are anybody's text."""
    from onnx import helper

    evil = "</script><img src=x onerror=alert(1)>\u2028&amp;"
    nodes = [helper.make_node("MaxPool", ["x"], ["t"], name=evil, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             helper.make_node("MaxPool", ["t"], ["y"], name="b" + evil, kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
    model = small_models.save(tmp_path / "net.onnx", nodes, {"x": [1, 8, 64, 64]}, {"y": [1, 8, 64, 64]}, {})
    good("compile", model, "-o", tmp_path / "net.acc", "--target", "tiny", "--report", tmp_path / "net.html")
    page, said = opened(browser, tmp_path / "net.html", DESK)
    page.select_option("#view", "nodes")
    page.select_option("#cause", "")
    assert any("</script>" in row for row in page.locator("#table tbody tr").all_inner_texts())
    assert page.locator("img").count() == 0
    assert said == []
    page.context.close()
