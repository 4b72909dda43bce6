"""A headless Chromium that logs whatever a page asks for and whatever its policy refuses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.lab import BROWSERS, QUIET


@dataclass
class Watched:
    """A page and what it did."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # of the policy, or of scripts
    dialogs: list[str] = field(default_factory=list)

    def open(self, path: Path) -> None:
        """Opens a file, offline."""
        self.page.goto(path.as_uri())


@contextmanager
def watched() -> Iterator[Watched]:
    """A page of its own in a browser of its own, cut off from the network."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=QUIET)
        context = browser.new_context(offline=True, viewport={"width": 1100, "height": 900})
        seen = Watched(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        yield seen
        browser.close()
