-- set: post-backfill
-- severity: red
-- means: upcoming player rows whose opponent, side, spread, total or points line is not that of their team's or their own game row
-- cause: one of the tables is older than the odds or the schedule, or a value was edited
-- do: runbook run --phase 3; if it stays, look at the SELECT of upcoming_player_game_context
SELECT context.game_date, context.player_lookup, context.team_abbr, context.opponent_team_abbr, context.game_spread, context.current_points_line
FROM nba_analytics.upcoming_player_game_context AS context
JOIN nba_analytics.upcoming_team_game_context AS team
  ON team.game_date = context.game_date AND team.team_abbr = context.team_abbr
JOIN nba_analytics.player_game_summary AS game
  ON game.game_date = context.game_date AND game.player_lookup = context.player_lookup
WHERE context.game_date BETWEEN @first AND @last AND team.game_date BETWEEN @first AND @last AND game.game_date BETWEEN @first AND @last
  AND (context.opponent_team_abbr != team.opponent_team_abbr OR context.home_game != team.home_game
    OR context.game_id != game.game_id OR context.team_abbr != game.team_abbr OR context.universal_player_id != game.universal_player_id
    OR context.game_spread IS DISTINCT FROM team.game_spread OR context.game_spread_source IS DISTINCT FROM team.game_spread_source
    OR context.spread_movement IS DISTINCT FROM team.spread_movement OR context.game_total IS DISTINCT FROM team.game_total
    OR context.game_total_source IS DISTINCT FROM team.game_total_source OR context.total_movement IS DISTINCT FROM team.total_movement
    OR context.spread_movement IS DISTINCT FROM context.game_spread - context.opening_spread
    OR context.total_movement IS DISTINCT FROM context.game_total - context.opening_total
    OR context.current_points_line IS DISTINCT FROM game.points_line OR context.opening_points_line IS DISTINCT FROM game.opening_line
    OR context.line_movement IS DISTINCT FROM game.line_movement
    OR context.current_points_line_source IS DISTINCT FROM game.points_line_source
    OR context.has_prop_line != (context.current_points_line IS NOT NULL))
ORDER BY context.game_date, context.player_lookup
