"""The thirty teams, where they play, and the miles between their arenas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Floats, Ints

EARTH_RADIUS_MILES = 3958.8


@dataclass(frozen=True)
class Team:
    """A team: tricode, full name, conference (0 East, 1 West), latitude and longitude of its arena in degrees."""

    code: str
    name: str
    conference: int
    latitude: float
    longitude: float


TEAMS = (
    Team("ATL", "Atlanta Hawks", 0, 33.757, -84.396),
    Team("BKN", "Brooklyn Nets", 0, 40.683, -73.975),
    Team("BOS", "Boston Celtics", 0, 42.366, -71.062),
    Team("CHA", "Charlotte Hornets", 0, 35.225, -80.839),
    Team("CHI", "Chicago Bulls", 0, 41.881, -87.674),
    Team("CLE", "Cleveland Cavaliers", 0, 41.497, -81.688),
    Team("DAL", "Dallas Mavericks", 1, 32.790, -96.810),
    Team("DEN", "Denver Nuggets", 1, 39.749, -105.008),
    Team("DET", "Detroit Pistons", 0, 42.341, -83.055),
    Team("GSW", "Golden State Warriors", 1, 37.768, -122.388),
    Team("HOU", "Houston Rockets", 1, 29.751, -95.362),
    Team("IND", "Indiana Pacers", 0, 39.764, -86.156),
    Team("LAC", "Los Angeles Clippers", 1, 33.945, -118.342),
    Team("LAL", "Los Angeles Lakers", 1, 34.043, -118.267),
    Team("MEM", "Memphis Grizzlies", 1, 35.138, -90.051),
    Team("MIA", "Miami Heat", 0, 25.781, -80.188),
    Team("MIL", "Milwaukee Bucks", 0, 43.045, -87.917),
    Team("MIN", "Minnesota Timberwolves", 1, 44.979, -93.276),
    Team("NOP", "New Orleans Pelicans", 1, 29.949, -90.082),
    Team("NYK", "New York Knicks", 0, 40.751, -73.994),
    Team("OKC", "Oklahoma City Thunder", 1, 35.463, -97.515),
    Team("ORL", "Orlando Magic", 0, 28.539, -81.384),
    Team("PHI", "Philadelphia 76ers", 0, 39.901, -75.172),
    Team("PHX", "Phoenix Suns", 1, 33.446, -112.071),
    Team("POR", "Portland Trail Blazers", 1, 45.532, -122.667),
    Team("SAC", "Sacramento Kings", 1, 38.580, -121.500),
    Team("SAS", "San Antonio Spurs", 1, 29.427, -98.438),
    Team("TOR", "Toronto Raptors", 0, 43.643, -79.379),
    Team("UTA", "Utah Jazz", 1, 40.768, -111.901),
    Team("WAS", "Washington Wizards", 0, 38.898, -77.021),
)
EXHIBITION_CODES = ("EST", "WST", "RSN", "SPH")  # sides of the All-Star weekend


def distances() -> tuple[list[str], list[str], Ints]:
    """From, to, and great-circle miles of the 870 ordered pairs of teams."""
    ahead, behind = np.nonzero(~np.eye(len(TEAMS), dtype=bool))
    codes = [team.code for team in TEAMS]
    return [codes[i] for i in ahead], [codes[i] for i in behind], _miles()[ahead, behind]


def _miles() -> Ints:
    north = np.radians([team.latitude for team in TEAMS])
    east = np.radians([team.longitude for team in TEAMS])
    haversine: Floats = (
        np.sin((north[:, None] - north) / 2) ** 2
        + np.cos(north[:, None]) * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    )
    return np.rint(2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(haversine))).astype(np.int64)
