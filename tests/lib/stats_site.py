"""stats.nba.com on loopback: answers in its own JSON shape, with whatever can go wrong, as a test asks for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.lib.ingest.raw_files import GAME, Row, player_row, shot_row, side_rows, team_rows

TEAMS = {"BOS": "1610612738", "NYK": "1610612752"}
NAMES = {"leaguegamefinder": "LeagueGameFinderResults", "leaguegamelog": "LeagueGameLog", "shotchartdetail": "Shot_Chart_Detail"}  # fmt: skip
Fault = Callable[[BaseHTTPRequestHandler, str], str | None]
HANGS = 3.0  # seconds, longer than a test waits


@dataclass
class Site:
    """The site: ``faults`` are taken one a request, in order; ``asked`` are the requests that came."""

    address: str
    faults: list[Fault | None] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    copies: int = 1  # how often each player's row is given, as another player
    renamed: dict[str, str] = field(default_factory=dict)

    def answer(self, endpoint: str, given: dict[str, str]) -> str:
        """What the site says, whole."""
        rows = [
            {self.renamed.get(name, name): value for name, value in row.items()} for row in self._rows(endpoint, given)
        ]
        headers = list(rows[0]) if rows else [self.renamed.get(n, n) for n in self._columns(endpoint, given)]
        result = {"name": NAMES[endpoint], "headers": headers, "rowSet": [list(row.values()) for row in rows]}
        sets = (
            [{"name": "LeagueAverages", "headers": ["GRID_TYPE"], "rowSet": []}]
            if endpoint == "shotchartdetail"
            else []
        )
        return json.dumps({"resource": endpoint, "parameters": given, "resultSets": [*sets, result]})

    def _rows(self, endpoint: str, given: dict[str, str]) -> list[Row]:
        if given["SeasonType"] not in ("", "Regular Season") if "SeasonType" in given else False:
            return []
        return self._all(endpoint, given)

    def _columns(self, endpoint: str, given: dict[str, str]) -> list[str]:
        return list(self._all(endpoint, given)[0])

    def _all(self, endpoint: str, given: dict[str, str]) -> list[Row]:
        if endpoint == "leaguegamefinder":
            return [{**row, "TEAM_ID": TEAMS[row["TEAM_ABBREVIATION"]], "PTS": "10"} for row in side_rows()]
        if endpoint == "shotchartdetail":
            mine = given["TeamID"] in ("0", TEAMS["BOS"])
            return [shot_row(str(event)) for event in range(2 if mine else 0)] or [shot_row("9", TEAM_ID=TEAMS["NYK"])]
        if given["PlayerOrTeam"] == "T":
            return team_rows()
        return [player_row(str(7 + n), f"Ann Other {n}") for n in range(self.copies)]


def hangs(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """No answer for longer than anybody waits."""
    time.sleep(HANGS)
    return None


def too_many(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """Status 429, try again in two seconds."""
    handler.send_response(429)
    handler.send_header("Retry-After", "2")
    handler.end_headers()
    return None


def later(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """Status 429, not before an hour from now, said as a date."""
    handler.send_response(429)
    handler.send_header("Retry-After", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    handler.end_headers()
    return None


def empty(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """JSON, and no answer."""
    return "[]"


def without_rows(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """An answer whose rows are null."""
    raw: dict[str, Any] = json.loads(body)
    for result in raw["resultSets"]:
        result["rowSet"] = None
    return json.dumps(raw)


def forbidden(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """Status 403."""
    handler.send_response(403)
    handler.end_headers()
    return None


def half(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """The first half of the answer, which looks like a whole one to HTTP."""
    return body[: len(body) // 2]


def narrow(handler: BaseHTTPRequestHandler, body: str) -> str | None:
    """An answer whose rows have lost their last value."""
    raw: dict[str, Any] = json.loads(body)
    for result in raw["resultSets"]:
        result["rowSet"] = [row[:-1] for row in result["rowSet"]]
    return json.dumps(raw)


@contextmanager
def site() -> Iterator[Site]:
    """The site, serving until the block ends."""
    found = Site("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            endpoint = split.path.rpartition("/")[2]
            given = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
            found.asked.append((endpoint, given))
            fault = found.faults.pop(0) if found.faults else None
            body = found.answer(endpoint, given)
            sent = fault(self, body) if fault else body
            if sent is not None:
                data = sent.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.address = f"http://127.0.0.1:{server.server_address[1]}/stats"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


__all__ = ["GAME", "Site", "forbidden", "half", "hangs", "narrow", "site", "too_many"]
