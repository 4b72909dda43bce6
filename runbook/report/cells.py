"""An executed notebook as parts of a page. Whatever it holds is text or a picture there, and does nothing.

HTML goes through nh3, pictures into ``<img>``, where an SVG can neither run a script nor ask for anything.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from lib.charts.picture import SVG_MIME
from lib.errors import BadInput
from runbook.notebook import GATE_MIME, Cell, read, text

LONGEST = 200_000  # characters of one output; an archive may hold more, and says so
LARGEST = 4_000_000  # bytes of one picture
NOTHING = Markup()
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    SVG_MIME: (b"<svg", b"<?xml"),
    "image/png": (b"\x89PNG",),
    "image/jpeg": (b"\xff\xd8",),
}
_TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}
_ATTRIBUTES = deepcopy(nh3.ALLOWED_ATTRIBUTES)
_TO_THE_RIGHT = re.compile(r'<(t[dh]) style="text-align:right">')


@dataclass(frozen=True)
class Shown:
    """One output: ``kind`` is gate, html, text, error or image; what it shows stands in the field of that name."""

    kind: str
    text: str = ""
    html: Markup = NOTHING
    image: str = ""
    gate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds_something(self) -> bool:
        """Whether there is anything to be seen."""
        return bool(self.text.strip() or self.html.striptags().strip() or self.image or self.gate)


@dataclass(frozen=True)
class Part:
    """One cell: markdown as clean HTML, code as text with its outputs."""

    kind: str
    source: str = ""
    html: Markup = NOTHING
    count: int | None = None
    outputs: tuple[Shown, ...] = ()


def parts_of(archive: Path) -> list[Part]:
    """The cells of an executed notebook; one part with the reason where it cannot be read."""
    try:
        return [_part(cell) for cell in read(archive)]
    except (BadInput, KeyError, TypeError, AttributeError) as error:
        return [Part("text", source=f"It cannot be shown: {error}")]


def _part(cell: Cell) -> Part:
    if cell.kind == "markdown":
        return Part("markdown", html=clean(_markdown(cell.source)))
    shown = tuple(one for o in cell.outputs if isinstance(o, dict) for one in _shown(o) if one.holds_something)
    return Part("code", source=cell.source, count=cell.execution_count, outputs=shown)


def clean(html: str) -> Markup:
    """HTML of strangers without scripts, frames, forms, styles, pictures, handlers, and links but to the web or mail."""
    aligned = _TO_THE_RIGHT.sub(r'<\1 align="right">', html)
    return Markup(
        nh3.clean(
            aligned,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            clean_content_tags={"script", "style", "iframe", "object", "svg", "math", "form", "template"},
            url_schemes={"http", "https", "mailto"},
            url_relative="deny",
            strip_comments=True,
        )
    )


def _markdown(source: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(source))


def _shown(output: Mapping[str, Any]) -> Iterator[Shown]:
    kind = output.get("output_type")
    if kind == "stream":
        yield Shown("text", text=_plain(text(output.get("text", ""))))
    elif kind == "error":
        yield Shown("error", text=_plain("\n".join(map(str, output.get("traceback", ())))))
    elif isinstance(output.get("data"), dict):
        yield from _richest(output["data"])


def _richest(data: Mapping[str, Any]) -> Iterator[Shown]:
    gate = data.get(GATE_MIME)
    if isinstance(gate, dict):
        yield Shown("gate", gate=gate)
        return
    picture = next((mime for mime in _BEGINNINGS if mime in data), None)
    if picture:
        yield _image(picture, text(data[picture]), text(data.get("text/plain", "")))
    elif "text/html" in data:
        yield Shown("html", html=clean(text(data["text/html"])[:LONGEST]))
    elif "text/markdown" in data:
        yield Shown("html", html=clean(_markdown(text(data["text/markdown"])[:LONGEST])))
    elif "text/plain" in data:
        yield Shown("text", text=_plain(text(data["text/plain"])))


def _image(mime: str, content: str, alternative: str) -> Shown:
    if len(content) > LARGEST:
        return Shown("text", text=f"A picture of {len(content):,} bytes: see the notebook itself.")
    raw = content.encode() if mime == SVG_MIME else _decoded(content)
    if not raw.startswith(_BEGINNINGS[mime]):
        return Shown("text", text=f"A picture that is no {mime}: see the notebook itself.")
    return Shown("image", text=_plain(alternative), image=f"data:{mime};base64,{base64.b64encode(raw).decode()}")


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        return b""


def _plain(content: str) -> str:
    content = _COLOUR.sub("", content)
    left = len(content) - LONGEST
    return content if left <= 0 else f"{content[:LONGEST]}\n… {left:,} characters more: see the notebook itself."
