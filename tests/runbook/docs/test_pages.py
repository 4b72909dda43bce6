"""The documentation is what the code is: made pages, commands and links."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from lib.settings import ROOT
from runbook.docs import PAGES as MADE
from runbook.docs import stale_pages
from runbook.docs.command_line import examples, verbs
from tests.runbook.docs.commands import PAGES, printed_commands, refusal, relative

VERBS = dict(verbs())
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")


def test_made_pages_are_what_the_code_gives() -> None:
    assert stale_pages() == [], "make docs"


def test_a_page_that_is_not_what_the_code_gives_is_noticed(tmp_path: Path) -> None:
    assert stale_pages(tmp_path) == list(MADE)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_an_example_that_parses_and_options_that_are_explained(name: str) -> None:
    verb = VERBS[name]
    assert examples(verb), f"{name} --help shows no example"
    assert all(line.startswith(name) for line in examples(verb))
    assert [refusal(line) for line in examples(verb) if refusal(line)] == []
    unexplained = [
        option.name for option in verb.params if isinstance(option, click.Option) and not (option.help or option.hidden)
    ]
    assert unexplained == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_command_that_a_page_prints_is_one_that_there_is(page: Path) -> None:
    assert [refusal(line) for line in printed_commands(page.read_text()) if refusal(line)] == []


def test_a_printed_command_with_an_option_that_there_is_not_is_refused() -> None:
    assert "No such option" in refusal("runbook gate 3 --fast")
    assert refusal("runbook gate 3 --json  # judged") == ""


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = [
        (page.parent / path, path, anchor) for path, anchor in LINK.findall(page.read_text()) if "://" not in path
    ]
    assert [path for target, path, _ in targets if path and not target.exists()] == []
    lost = [
        path + anchor
        for target, path, anchor in targets
        if anchor and anchor[1:] not in _anchors(target if path else page)
    ]
    assert lost == []


def test_every_page_of_the_docs_is_on_the_map() -> None:
    linked = {(ROOT / "docs" / path).resolve() for path, _ in LINK.findall((ROOT / "docs/README.md").read_text())}
    pages = [path for path in PAGES if path.parent.name == "docs" and path.name != "README.md"]
    assert [relative(path) for path in pages if path not in linked] == []


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE) if page.suffix == ".md" else []
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
