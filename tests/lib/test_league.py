"""What every simulated league promises: sums that add up, nothing latent among the tables; and the pocket league."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from lib.league import full_league, pocket_league
from lib.league.arrays import stream
from lib.league.names import lookup, player_names
from lib.league.rounds import draw_rounds
from lib.league.teams import distances
from lib.registry import registry
from tests.lib.raw_league import (
    EXPECTED,
    GAMEBOOK_SECONDS,
    RENAMED,
    SUMMED,
    Raw,
    digest,
)


@pytest.fixture(scope="module")
def pocket() -> Raw:
    return Raw(pocket_league())


@pytest.fixture(scope="module")
def full() -> Raw:
    return Raw(full_league())


@pytest.fixture(params=["pocket", pytest.param("full", marks=pytest.mark.full)])
def raw(request: pytest.FixtureRequest) -> Raw:
    found: Raw = request.getfixturevalue(request.param)
    return found


# --- the parts


def test_every_team_plays_once_a_round_and_is_at_home_half_the_time() -> None:
    conferences = np.arange(30) % 2
    rounds = draw_rounds(stream(1, "test"), conferences, 82)
    assert rounds.shape == (82, 15, 2)
    assert all(len(np.unique(games)) == 30 for games in rounds)
    assert (np.bincount(rounds[:, :, 0].ravel()) == 41).all()


def test_lookups_are_unique_ascii_and_without_punctuation() -> None:
    names, lookups = player_names(stream(3, "test"), 1200)
    assert len(set(lookups)) == 1200
    assert all(key.isascii() and key.isalnum() and key == key.lower() for key in lookups)
    assert any(not name.isascii() for name in names)
    assert lookup("Žiga D'Alessio-Mørk Jr.") == "zigadalessiomorkjr"


def test_miles_are_symmetric_and_right_for_a_known_pair() -> None:
    origin, target, miles = distances()
    table = dict(zip(zip(origin, target, strict=True), miles.tolist(), strict=True))
    assert len(table) == 870
    assert all(table[pair] == table[pair[::-1]] for pair in table)
    assert abs(table["BOS", "LAL"] - 2595) < 15


# --- both leagues


def test_tables_are_the_contracts_and_nothing_latent_is_among_them(raw: Raw) -> None:
    contracts = {name for name in registry().tables if name.startswith(("nba_raw.", "nba_static."))}
    assert set(raw.league.tables) == contracts
    for name, table in raw.league.tables.items():
        contract = registry().table(name).contract
        assert tuple(table.column_names) == contract.column_names
        required = [column.name for column in contract.columns if column.required]
        assert all(table[column].null_count == 0 for column in required), name


def test_points_follow_from_makes_for_players_and_teams(raw: Raw) -> None:
    rule = "points <> 2 * ({0}_made - {1}_made) + 3 * {1}_made + {2}_made"
    player = rule.format("field_goals", "three_pointers", "free_throws")
    assert raw.one(f"SELECT count(*) FROM nbac_gamebook_player_stats WHERE {player}") == 0
    assert raw.one(f"SELECT count(*) FROM bdl_player_boxscores WHERE {player}") == 0
    assert raw.one(f"SELECT count(*) FROM team_box WHERE {rule.format('fg', 'three_pt', 'ft')}") == 0


def test_players_add_up_to_their_team_and_turnovers_to_no_more(raw: Raw) -> None:
    names = {name: name for name in SUMMED} | RENAMED
    sums = ", ".join(f"sum({name}) AS p_{name}" for name in (*names, "turnovers", "plus_minus"))
    differ = " OR ".join(f"p_{mine} <> {theirs}" for mine, theirs in names.items())
    players = f"""SELECT game_date, team_abbr, sum({GAMEBOOK_SECONDS}) AS seconds, {sums}
        FROM nbac_gamebook_player_stats WHERE player_status = 'active' GROUP BY ALL"""
    joined = f"FROM team_box JOIN ({players}) USING (game_date, team_abbr)"
    assert raw.one(f"SELECT count(*) {joined}") > 200
    assert raw.one(f"SELECT count(*) {joined} WHERE {differ}") == 0
    assert raw.one(f"SELECT count(*) {joined} WHERE p_turnovers > turnovers") == 0
    assert raw.one(f"SELECT count(*) {joined} WHERE p_plus_minus <> 5 * plus_minus") == 0
    assert raw.one(f"SELECT count(*) {joined} WHERE seconds <> split_part(minutes, ':', 1)::INT * 60") == 0


def test_every_attempt_has_its_event_with_assist_and_block(raw: Raw) -> None:
    """Counted per game and player without the numeric prefix, and equal to the box."""
    bare = "regexp_replace({}, '^[0-9]+', '')"
    shots = f"""SELECT game_id, {bare.format("player_1_lookup")} AS player_lookup, count(*) AS shots,
        count(*) FILTER (shot_made) AS made, count(*) FILTER (shot_type = '3PT') AS threes
        FROM bigdataball_play_by_play WHERE event_type = 'shot' GROUP BY ALL"""
    box = """SELECT * FROM nbac_gamebook_player_stats WHERE player_status = 'active'
        AND game_id IN (SELECT game_id FROM bigdataball_play_by_play)"""
    joined = f"FROM (FROM ({box}) WHERE field_goals_attempted > 0) FULL JOIN ({shots}) USING (game_id, player_lookup)"
    wrong = f"""SELECT count(*) {joined} WHERE (shots, made, threes) IS DISTINCT FROM
        (field_goals_attempted, field_goals_made, three_pointers_attempted)"""
    known = "AND game_id IN (SELECT game_id FROM nbac_gamebook_player_stats)"
    assert raw.one(f"{wrong} {known}") == 0
    for role, column in (("assist", "assists"), ("block", "blocks")):
        in_events = f"count(*) FROM bigdataball_play_by_play WHERE player_2_role = '{role}' {known}"
        in_box = f"sum({column}) FROM ({box})"
        assert raw.one(f"SELECT {in_events}") == raw.one(f"SELECT {in_box}")


def test_distances_fit_the_kind_of_shot(raw: Raw) -> None:
    wrong = """shot_type = '3PT' AND shot_distance < 22 OR shot_type = '2PT' AND shot_distance > 23.75
        OR (shot_type = '3PT') <> (event_subtype LIKE '3pt%') AND event_type = 'shot'"""
    assert raw.one(f"SELECT count(*) FROM bigdataball_play_by_play WHERE {wrong}") == 0
    assert raw.one("SELECT count(DISTINCT event_subtype) FROM bigdataball_play_by_play") >= 8


def test_nobody_plays_more_than_a_game_and_its_overtimes(raw: Raw) -> None:
    longest = f"""SELECT max(seconds - 300 * ((split_part(minutes, ':', 1)::INT - 240) // 25)) FROM team_box JOIN (
        SELECT game_date, team_abbr, {GAMEBOOK_SECONDS} AS seconds FROM nbac_gamebook_player_stats
        WHERE player_status = 'active') USING (game_date, team_abbr)"""
    assert 40 * 60 < raw.one(longest) <= 48 * 60


def test_a_player_plays_at_most_one_game_a_date(raw: Raw) -> None:
    query = """SELECT count(*) FROM (SELECT 1 FROM nbac_gamebook_player_stats GROUP BY game_date, player_lookup
        HAVING count(*) > 1)"""
    assert raw.one(query) == 0


def test_keys_are_unique_but_for_the_planted_copies(raw: Raw) -> None:
    for name, table in raw.league.tables.items():
        key = ", ".join(registry().table(name).contract.key)
        distinct = raw.one(f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {name.partition('.')[2]})")
        planted = name.endswith(("nbac_schedule", "nbac_team_boxscore"))
        assert (distinct < table.num_rows) if planted else (distinct == table.num_rows), name


def test_the_newest_schedule_row_carries_the_score_of_the_boxes(raw: Raw) -> None:
    query = """SELECT count(*) FROM team_box b JOIN nbac_schedule s ON s.game_id = b.nba_game_id AND game_status = 3
        WHERE b.points <> CASE WHEN is_home THEN home_team_score ELSE away_team_score END
        OR (b.plus_minus > 0) <> (winning_team_tricode = b.team_abbr) OR home_team_score = away_team_score"""
    assert raw.one(query) == 0


def test_lines_end_in_halves_and_come_before_the_result(raw: Raw) -> None:
    for table, column in (("odds_api_player_points_props", "points_line"), ("odds_api_game_lines", "outcome_point")):
        assert raw.one(f"SELECT count(*) FROM {table} WHERE 2 * {column} <> round(2 * {column})") == 0
        late = "snapshot_timestamp > (game_date + 1)::TIMESTAMPTZ + INTERVAL 9 HOUR"
        assert raw.one(f"SELECT count(*) FROM {table} WHERE {late}") == 0
    sides = """SELECT count(*) FROM (SELECT sum(outcome_point) AS total FROM odds_api_game_lines
        WHERE market_key = 'spreads' GROUP BY game_date, home_team_abbr, bookmaker_key, snapshot_timestamp)
        WHERE total <> 0"""
    assert raw.one(sides) == 0


def test_the_prefix_begins_in_october_2024(raw: Raw) -> None:
    prefixed = "regexp_matches(player_1_lookup, '^[0-9]') <> (game_date >= DATE '2024-10-01')"
    assert raw.one(f"SELECT count(*) FROM bigdataball_play_by_play WHERE {prefixed}") == 0


def test_no_lines_are_offered_on_exhibitions(raw: Raw) -> None:
    exhibitions = "SELECT game_date FROM nbac_schedule WHERE substr(game_id, 1, 3) IN ('001', '003')"
    games = f"SELECT game_date FROM nbac_schedule WHERE {EXPECTED}"
    query = f"SELECT count(*) FROM odds_api_player_points_props WHERE game_date IN ({exhibitions} EXCEPT {games})"
    assert raw.one(query) == 0


def test_no_team_plays_three_days_in_a_row(raw: Raw) -> None:
    query = f"""SELECT count(*) FROM (SELECT game_date - lag(game_date, 2) OVER (PARTITION BY team ORDER BY game_date)
        AS days FROM (SELECT home_team_tricode AS team, * FROM nbac_schedule UNION ALL
        SELECT away_team_tricode, * FROM nbac_schedule) WHERE {EXPECTED} AND game_id NOT LIKE '006%') WHERE days <= 2"""
    assert raw.one(query) == 0


def test_the_games_of_a_series_are_numbered_from_one(raw: Raw) -> None:
    numbers = "SELECT DISTINCT right(game_id, 1)::INT AS n FROM nbac_schedule WHERE substr(game_id, 1, 3) = '004'"
    assert raw.rows(f"SELECT MIN(n), MAX(n) <= 7 FROM ({numbers})") == [(1, True)]


# --- the pocket league


def test_pocket_is_small_and_repeatable(pocket: Raw) -> None:
    assert digest(pocket_league()) == digest(pocket.league)
    assert digest(pocket_league(seed=8)) != digest(pocket.league)
    assert 1300 <= pocket.one("SELECT count(*) FROM nbac_gamebook_player_stats WHERE player_status = 'active'") <= 1700
    assert pocket.league.tables["nba_raw.bigdataball_play_by_play"].num_rows < 14_000


@pytest.mark.parametrize("seed", range(20, 28))
def test_pocket_can_be_made_from_any_seed(seed: int) -> None:
    raw = Raw(pocket_league(seed))
    assert raw.one(f"SELECT count(*) FROM nbac_schedule WHERE {EXPECTED}") >= 139


def test_pocket_teams_have_22_games_a_season(pocket: Raw) -> None:
    query = """SELECT min(n) FROM (SELECT team, season_year, count(DISTINCT game_id) AS n FROM (
        SELECT home_team_tricode AS team, * FROM nbac_schedule UNION ALL
        SELECT away_team_tricode, * FROM nbac_schedule)
        WHERE game_status = 3 AND is_regular_season GROUP BY ALL)"""
    assert pocket.one(query) >= 22


@pytest.mark.parametrize("prefix", ["001", "002", "003", "004", "005", "006"])
def test_pocket_has_every_kind_of_game(pocket: Raw, prefix: str) -> None:
    query = f"SELECT count(*) FROM nbac_schedule WHERE game_status = 3 AND game_id LIKE '{prefix}%'"
    assert pocket.one(query) >= 1


def test_pocket_lacks_two_games_in_each_source(pocket: Raw) -> None:
    games = f"""(SELECT strftime(game_date, '%Y%m%d_') || away_team_tricode || '_' || home_team_tricode AS id
        FROM nbac_schedule WHERE {EXPECTED})"""
    for table in ("nbac_gamebook_player_stats", "bigdataball_play_by_play"):
        assert pocket.one(f"SELECT count(*) FROM {games} WHERE id NOT IN (SELECT game_id FROM {table})") == 2
    boxes = "SELECT nba_game_id FROM nbac_team_boxscore"
    assert pocket.one(f"SELECT count(*) FROM nbac_schedule WHERE {EXPECTED} AND game_id NOT IN ({boxes})") == 2
    missing = f"{games} WHERE id NOT IN (SELECT game_id FROM nbac_gamebook_player_stats)"
    assert pocket.one(f"SELECT count(*) FROM {missing} AND id IN (SELECT game_id FROM bdl_player_boxscores)") == 2


def test_pocket_has_one_game_in_home_away_order_with_events(pocket: Raw) -> None:
    swapped = """SELECT count(DISTINCT t.nba_game_id) FROM nbac_team_boxscore t JOIN nbac_schedule s
        ON s.game_id = t.nba_game_id AND game_status = 3
        WHERE split_part(t.game_id, '_', 2) = home_team_tricode AND strftime(t.game_date, '%Y%m%d_')
        || away_team_tricode || '_' || home_team_tricode IN (SELECT game_id FROM bigdataball_play_by_play)"""
    assert pocket.one(swapped) == 1


def test_pocket_minutes_come_in_four_shapes(pocket: Raw) -> None:
    alone = "game_id NOT IN (SELECT game_id FROM nbac_gamebook_player_stats)"
    for shape in (r"^\d+:\d\d$", r"^\d+$", r"^\d+\.\d$", r"^PT\d+M\d\d\.00S$"):
        query = f"SELECT count(*) FROM bdl_player_boxscores WHERE {alone} AND regexp_matches(minutes, '{shape}')"
        assert pocket.one(query) >= 1


@pytest.mark.parametrize(
    "branch",
    [
        "nbac_team_boxscore WHERE minutes = '265:00'",
        "nbac_gamebook_player_stats WHERE player_status = 'dnp'",
        "nbac_gamebook_player_stats WHERE player_status = 'inactive'",
        "nbac_gamebook_player_stats WHERE minutes BETWEEN '00:01' AND '00:59'",
        "nbac_schedule a JOIN nbac_schedule b USING (game_id) WHERE a.game_status = 4 AND b.game_status = 3",
        "nbac_schedule a JOIN nbac_schedule b USING (game_id, game_date) WHERE a.processed_at < b.processed_at",
        "nbac_team_boxscore a JOIN nbac_team_boxscore b USING (game_id, team_abbr) WHERE a.points < b.points",
        "nbac_gamebook_player_stats JOIN odds_api_player_points_props o USING (game_id, player_lookup)"
        + " WHERE points = o.points_line",
        "bettingpros_player_points_props WHERE NOT is_active",
        "bigdataball_play_by_play WHERE event_subtype = 'free throw 1/1'",
    ],
)
def test_pocket_enters_the_branch(pocket: Raw, branch: str) -> None:
    assert pocket.one(f"SELECT count(*) FROM {branch}") >= 1


def test_pocket_has_trades_and_a_player_who_never_plays(pocket: Raw) -> None:
    stints = """SELECT player_lookup, count(DISTINCT team_abbr) AS teams,
        count(*) FILTER (player_status = 'active') AS played, count(*) AS listed FROM nbac_gamebook_player_stats
        WHERE len(team_abbr) = 3 AND team_abbr NOT IN ('EST', 'WST') GROUP BY player_lookup, season_year"""
    assert pocket.one(f"SELECT count(*) FROM ({stints}) WHERE teams > 1") >= 4
    assert pocket.one(f"SELECT count(*) FROM ({stints}) WHERE played = 0 AND listed > 20") >= 1


def test_pocket_speaks_for_a_day_two_days_after_its_last_final(pocket: Raw) -> None:
    last = pocket.one(f"SELECT max(game_date) FROM nbac_schedule WHERE {EXPECTED}")
    assert pocket.league.as_of == last + timedelta(days=2)
    coming = f"SELECT count(*) FROM nbac_schedule WHERE game_status = 1 AND game_date > DATE '{last}'"
    assert pocket.one(coming) >= 3
