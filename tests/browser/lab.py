"""A real JupyterLab on loopback and a real browser, for tests and for pictures."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from lib.settings import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
START_SECONDS, RUN_MS = 120, 120_000
OUTPUTS = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"


@dataclass
class Lab:
    """One browser page at one JupyterLab; notebooks are copies, so that running them changes no template."""

    page: Page
    address: str
    token: str
    pictures: Path
    _opened: list[str] = field(default_factory=list)

    def run_all(self, name: str) -> None:
        """Opens a notebook alone in a clean workspace and asks for *Run All Cells*, as a person does, by the menu."""
        workspace = f"{name}-{len(self._opened)}"
        self._opened.append(name)
        self.page.goto(f"{self.address}/lab/workspaces/{workspace}/tree/{name}.ipynb?token={self.token}")
        expect(self.page.locator(".jp-NotebookPanel .jp-Cell").first).to_be_visible(timeout=RUN_MS)
        # asked for before the kernel is there, cells are lost and a dialog asks for a kernel
        expect(self.page.locator("#jp-bottom-panel").get_by_text("| Idle")).to_be_visible(timeout=RUN_MS)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def sees(self, text: str) -> None:
        """Waits until an output on the page says *text*."""
        expect(self.page.locator(OUTPUTS).filter(has_text=text).first).to_be_attached(timeout=RUN_MS)

    def ends(self) -> None:
        """Waits until no cell is running or waiting any more."""
        expect(self.page.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[\*\]"))).to_have_count(
            0, timeout=RUN_MS
        )

    def says(self) -> str:
        """Every output of the notebook as text."""
        return "\n".join(self.page.locator(OUTPUTS).all_inner_texts())

    def picture(self, name: str, at: str = "") -> None:
        """Keeps a picture of the page, at the output that says *at*."""
        if at:
            self.page.locator(OUTPUTS).filter(has_text=at).first.scroll_into_view_if_needed()
        self.page.screenshot(path=str(self.pictures / f"{name}.png"))

    def close(self) -> None:
        """Ends the kernel of the notebook that is open."""
        sessions = f"{self.address}/api/sessions?token={self.token}"
        found = self.page.request.get(sessions).json()
        for session in found:
            self.page.request.delete(f"{self.address}/api/sessions/{session['id']}?token={self.token}")


@contextmanager
def lab(folder: Path, environment: dict[str, str]) -> Iterator[Lab]:
    """JupyterLab over copies of the notebooks in *folder*, and a browser that looks at it. Skips without a browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    copies = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", copies, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    pictures = Path(os.environ.get("RUNBOOK_PICTURES") or folder / "pictures")
    pictures.mkdir(parents=True, exist_ok=True)
    with _server(folder, copies, environment) as (address, token), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=QUIET)
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 1000})
            yield Lab(page, address, token, pictures)
        finally:
            chromium.close()


@contextmanager
def _server(folder: Path, root: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    token, log = secrets.token_hex(16), folder / "lab.log"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *("--ServerApp.port=0", f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}"),
    ]
    homes = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "RUNTIME")}
    homes |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "lab"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    quiet = folder / "lab" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with log.open("w") as sink:
        server = subprocess.Popen(
            command, cwd=root, env={**os.environ, **environment, **homes}, stdout=sink, stderr=sink
        )
    try:
        yield _ready(server, log, token), token
    finally:
        server.terminate()
        server.wait(timeout=30)


def _ready(server: subprocess.Popen[bytes], log: Path, token: str) -> str:
    """The address of the server, as soon as it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        if found and _answers(f"{found.group()}/api/status?token={token}"):
            return found.group()
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
