"""The gate of phase 5: what was predicted is whole, from features that still stand, and graded where it can be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from lib.coverage import Judge
from lib.ml.matrix import PLAYED
from lib.ml.predictions import ACCURACY, PREDICTIONS
from lib.ml.scores import MODEL, MOVING_AVERAGE
from lib.phase4_gate import STORE
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of, worst
from lib.wording import counted

BY_SYSTEM = f"""
WITH predicted AS (
  SELECT system_id, game_date, player_lookup, feature_hash, prediction_version, predicted_points FROM {PREDICTIONS}
  WHERE game_date BETWEEN @first AND @last
),
graded AS (
  SELECT system_id, game_date, player_lookup, prediction_version, predicted_points, actual_points FROM {ACCURACY}
  WHERE game_date BETWEEN @first AND @last
),
dates AS (
  SELECT game_date FROM predicted UNION DISTINCT SELECT game_date FROM graded
),
store AS (
  SELECT game_date, player_lookup, data_hash FROM {STORE} WHERE game_date BETWEEN @first AND @last
),
played AS (
  SELECT game_date, player_lookup, points FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last AND {PLAYED}
),
named AS (
  SELECT systems.system_id, store.game_date, store.player_lookup
  FROM store
  JOIN dates ON dates.game_date = store.game_date
  CROSS JOIN (SELECT system_id FROM UNNEST(@systems) AS system_id) AS systems
  UNION DISTINCT
  SELECT system_id, game_date, player_lookup FROM predicted
  UNION DISTINCT
  SELECT system_id, game_date, player_lookup FROM graded
),
alive AS (
  SELECT DISTINCT game_date FROM store
),
compared AS (
  SELECT
    named.system_id, named.game_date, alive.game_date IS NULL AS orphaned, store.player_lookup IS NOT NULL AS expected,
    predicted.player_lookup IS NOT NULL AS is_predicted,
    COALESCE(predicted.feature_hash != store.data_hash, FALSE) AS outdated,
    alive.game_date IS NOT NULL AND predicted.player_lookup IS NOT NULL AND played.player_lookup IS NOT NULL
      AND graded.player_lookup IS NULL AS ungraded,
    alive.game_date IS NOT NULL AND graded.player_lookup IS NOT NULL AND NOT COALESCE(
      graded.prediction_version = predicted.prediction_version
        AND graded.predicted_points = predicted.predicted_points AND graded.actual_points = played.points,
      FALSE
    ) AS misgraded
  FROM named
  LEFT JOIN alive ON alive.game_date = named.game_date
  LEFT JOIN store ON store.game_date = named.game_date AND store.player_lookup = named.player_lookup
  LEFT JOIN predicted
    ON predicted.system_id = named.system_id AND predicted.game_date = named.game_date
      AND predicted.player_lookup = named.player_lookup
  LEFT JOIN played ON played.game_date = named.game_date AND played.player_lookup = named.player_lookup
  LEFT JOIN graded
    ON graded.system_id = named.system_id AND graded.game_date = named.game_date
      AND graded.player_lookup = named.player_lookup
)
SELECT
  system_id, COUNT(DISTINCT game_date) AS dates, COUNTIF(expected) AS expected,
  COUNTIF(expected AND is_predicted) AS predicted, COUNTIF(NOT expected AND NOT orphaned AND is_predicted) AS stray,
  COUNTIF(orphaned) AS orphaned, MIN(IF(orphaned, game_date, NULL)) AS orphan,
  COUNTIF(outdated) AS outdated, COUNTIF(ungraded) AS ungraded, COUNTIF(misgraded) AS misgraded,
  MIN(IF(NOT orphaned AND (expected != is_predicted OR outdated OR ungraded OR misgraded), game_date, NULL)) AS example
FROM compared
GROUP BY system_id ORDER BY system_id
"""
COLUMNS = (
    "system",
    "dates",
    "expected",
    "predicted",
    "stray",
    "orphaned",
    "orphan",
    "outdated",
    "ungraded",
    "misgraded",
    "example",
)


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
    shown = tuple({k: v for k, v in line.items() if k not in ("example", "orphan")} for line in lines)
    return verdict_of("predictions", sentence, findings, table=shown, about=about)


def _lines(judge: Judge, first: date, last: date) -> list[dict[str, Any]]:
    if PREDICTIONS not in judge.session.tables:
        return []
    rows = judge.session.rows(BY_SYSTEM, first=first, last=last, systems=[MODEL, MOVING_AVERAGE])
    lines = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return [line | {"verdict": worst(finding.severity for finding in _findings(line))} for line in lines]


def _findings(line: dict[str, Any]) -> Iterator[Finding]:
    where, again = f"{PREDICTIONS} {line['system']}", f"runbook predict --date {line['example']}"
    if line["predicted"] < line["expected"]:
        yield Finding(RED, where, f"{line['predicted']} of {line['expected']} feature rows have a prediction", again)
    if line["stray"]:
        yield Finding(RED, where, f"{line['stray']} predictions have no feature row any more", again)
    if line["orphaned"]:
        said = (
            f"{line['orphaned']} predictions or grades are of dates without any feature row, the first {line['orphan']}"
        )
        mend = f"where games were, runbook run --phase 4; else delete them: no game of {line['orphan']} is expected any more"
        yield Finding(AMBER, where, said, mend)
    if line["outdated"]:
        yield Finding(RED, where, f"{line['outdated']} predictions are from features that have changed since", again)
    if line["ungraded"]:
        yield Finding(RED, ACCURACY, f"{line['ungraded']} predictions of {line['system']} are not graded", again)
    if line["misgraded"]:
        said = (
            f"{line['misgraded']} grades of {line['system']} are of another prediction or another score than stand now"
        )
        yield Finding(RED, ACCURACY, said, again)
