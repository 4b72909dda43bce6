"""The gate of phase 5: what was predicted is whole, from features that still stand, and graded where it can be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from lib.coverage import Judge
from lib.ml.predictions import ACCURACY, PREDICTIONS
from lib.ml.scores import MODEL, MOVING_AVERAGE
from lib.phase4_gate import STORE
from lib.verdicts import GREEN, RED, Finding, Verdict, verdict_of
from lib.wording import counted

BY_SYSTEM = f"""
WITH predicted AS (
  SELECT system_id, game_date, player_lookup, feature_hash FROM {PREDICTIONS}
  WHERE game_date BETWEEN @first AND @last
),
due AS (
  SELECT DISTINCT systems.system_id, predicted.game_date
  FROM predicted CROSS JOIN (SELECT system_id FROM UNNEST(@systems) AS system_id) AS systems
),
store AS (
  SELECT game_date, player_lookup, data_hash FROM {STORE} WHERE game_date BETWEEN @first AND @last
),
played AS (
  SELECT game_date, player_lookup FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last AND is_active AND points IS NOT NULL
),
graded AS (
  SELECT system_id, game_date, player_lookup FROM {ACCURACY} WHERE game_date BETWEEN @first AND @last
)
SELECT
  due.system_id, COUNT(DISTINCT due.game_date) AS dates, COUNT(store.player_lookup) AS expected,
  COUNT(predicted.player_lookup) AS predicted, COUNTIF(predicted.feature_hash != store.data_hash) AS outdated,
  COUNTIF(played.player_lookup IS NOT NULL AND predicted.player_lookup IS NOT NULL AND graded.player_lookup IS NULL)
    AS ungraded,
  MIN(
    IF(
      predicted.player_lookup IS NULL OR predicted.feature_hash != store.data_hash
        OR (played.player_lookup IS NOT NULL AND graded.player_lookup IS NULL),
      due.game_date, NULL
    )
  ) AS example
FROM due
JOIN store ON store.game_date = due.game_date
LEFT JOIN predicted
  ON predicted.system_id = due.system_id AND predicted.game_date = store.game_date
    AND predicted.player_lookup = store.player_lookup
LEFT JOIN played ON played.game_date = store.game_date AND played.player_lookup = store.player_lookup
LEFT JOIN graded
  ON graded.system_id = due.system_id AND graded.game_date = store.game_date
    AND graded.player_lookup = store.player_lookup
GROUP BY due.system_id ORDER BY due.system_id
"""
COLUMNS = ("system", "dates", "expected", "predicted", "outdated", "ungraded", "example")


def predictions_gate(judge: Judge, first: date, last: date) -> Verdict:
    """Judges the dates that ``runbook predict`` wrote, from *first* to *last*; red where it wrote none."""
    about = {"phase": 5, "first": str(first), "last": str(last), "as_of": str(judge.calendar.as_of)}
    lines = _lines(judge, first, last)
    if not lines:
        nothing = Finding(RED, PREDICTIONS, "nothing is predicted", "runbook predict --date YYYY-MM-DD")
        return verdict_of("predictions", "Nothing is predicted yet.", [nothing], about=about)
    findings = [finding for line in lines for finding in _findings(line)]
    dates = max(line["dates"] for line in lines)
    sentence = f"{sum(line['predicted'] for line in lines)} predictions on {counted(dates, 'date')} by {counted(len(lines), 'system')}."
    shown = tuple({k: v for k, v in line.items() if k != "example"} for line in lines)
    return verdict_of("predictions", sentence, findings, table=shown, about=about)


def _lines(judge: Judge, first: date, last: date) -> list[dict[str, Any]]:
    if PREDICTIONS not in judge.session.tables:
        return []
    rows = judge.session.rows(BY_SYSTEM, first=first, last=last, systems=[MODEL, MOVING_AVERAGE])
    lines = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return [line | {"verdict": RED if any(_findings(line)) else GREEN} for line in lines]


def _findings(line: dict[str, Any]) -> Iterator[Finding]:
    where, again = f"{PREDICTIONS} {line['system']}", f"runbook predict --date {line['example']}"
    if line["predicted"] < line["expected"]:
        yield Finding(RED, where, f"{line['predicted']} of {line['expected']} feature rows have a prediction", again)
    if line["outdated"]:
        yield Finding(RED, where, f"{line['outdated']} predictions are from features that have changed since", again)
    if line["ungraded"]:
        yield Finding(RED, ACCURACY, f"{line['ungraded']} predictions of {line['system']} are not graded", again)
