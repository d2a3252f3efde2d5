"""Links of hand-written pages lead somewhere, and no page is left without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text()) if not re.match(r"\w+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_exist(page: Path):
    missing = [link for link in links(page) if not (page.parent / link).exists()]
    assert not missing


def test_every_page_is_reached_from_the_readme():
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            target = (page.parent / link).resolve()
            todo += sorted(target.glob("*.md")) if target.is_dir() else [target] if target.suffix == ".md" else []
    assert not [page for page in PAGES if page not in reached]
