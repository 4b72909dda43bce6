"""Pictures of the model: what it was told, how well it is calibrated, where it errs, what it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.charts.look import INK, QUIET, SHADES, STATES, Fill
from lib.charts.picture import Axis, Boxes, Note, Picture, Points, Rule, Spans, floats

BANDS = (0, 1, 5, 20, 100)  # upper ends of the shades, percent
Lines = Sequence[Mapping[str, Any]]


def defaults_by_season(features: Lines) -> Picture:
    """Features by seasons: the share of rows that hold a default although the value could be known, percent."""
    names = list(dict.fromkeys(str(line["feature"]) for line in features))
    seasons = sorted({line["season"] for line in features})
    row, column = ({name: at for at, name in enumerate(order)} for order in (names, seasons))
    cells = [(column[line["season"]], -row[line["feature"]], float(line["avoidable_pct"])) for line in features]
    notes = [
        Note(x, y, _told(share), "middle", colour=INK if share <= BANDS[3] else "#ffffff") for x, y, share in cells
    ]
    return Picture(
        title=_defaults_title(features),
        x=Axis("season", -0.5, len(seasons) - 0.5, [(at, str(name)) for name, at in column.items()], grid=False),
        y=Axis("", -len(names) + 0.5, 0.5, [(-at, name) for name, at in row.items()], grid=False),
        marks=[*_shaded(cells), *notes],
        height=110 + 20 * len(names),
    )


def _told(share: float) -> str:
    return "0" if share == 0 else "<0.1" if share < 0.05 else f"{share:.1f}"


def _defaults_title(features: Lines) -> str:
    worst = max(features, key=lambda line: float(line["avoidable_pct"]), default=None)
    if worst is None or worst["avoidable_pct"] <= 0:
        return "Every feature is known wherever it can be"
    return f"{worst['feature']} is a default in {worst['avoidable_pct']:.0f} % of the rows of {worst['season']}, the most of all"


def _shaded(cells: Sequence[tuple[int, int, float]]) -> list[Boxes]:
    boxes = []
    for shade, low, high in zip(SHADES, (-1, *BANDS), BANDS, strict=False):
        mine = [cell for cell in cells if low < cell[2] <= high]
        if mine:
            x, y = floats([cell[0] for cell in mine]), floats([cell[1] for cell in mine])
            name = "no row" if high == 0 else f"up to {high} % of the rows"
            told = [f"{share:.2f} % of the rows" for _, _, share in mine]
            boxes.append(Boxes(name, Fill(shade), x - 0.48, x + 0.48, y - 0.45, y + 0.45, told, outline=True))
    return boxes


def calibration(groups: Lines, kind: str) -> Picture:
    """Mean actual against mean predicted points of ten groups of test rows; the diagonal is perfect."""
    predicted, actual = (floats([line[name] for line in groups]) for name in ("predicted", "actual"))
    low, high = min(predicted.min(), actual.min()), max(predicted.max(), actual.max())
    room = (high - low) * 0.05 or 1.0
    ends = floats([low, high])
    off = float(abs(actual - predicted).max())
    told = [f"predicted {p:.2f}, actual {a:.2f} points" for p, a in zip(predicted, actual, strict=True)]
    return Picture(
        title=f"Predictions are off by at most {off:.1f} points in any tenth of the test rows ({kind})",
        x=Axis("mean predicted points", float(low - room), float(high + room)),
        y=Axis("mean actual points", float(low - room), float(high + room)),
        marks=[
            Points("perfect", ends, ends, QUIET, symbol="", dash="dash"),
            Points("model", predicted, actual, dash="solid", hover=told),
        ],
        height=420,
    )


def residuals(seasons: Lines, kind: str) -> Picture:
    """Actual minus predicted points of the unseen rows by part and season: median, and the span of four rows in five."""
    names = [f"{line['part']} {line['season']}" for line in seasons]
    low, median, high = (floats([line[name] for line in seasons]) for name in ("p10", "median", "p90"))
    drift = max(seasons, key=lambda line: abs(float(line["mean"])))
    places = floats(range(len(names)))
    edge = float(max(abs(low).max(), abs(high).max())) * 1.1
    told = [
        f"median {m:+.2f}, four in five from {a:+.1f} to {b:+.1f}" for a, m, b in zip(low, median, high, strict=True)
    ]
    return Picture(
        title=f"The mean error is largest in {drift['part']} {drift['season']}: {drift['mean']:+.2f} points ({kind})",
        x=Axis("part and season", -0.6, len(names) - 0.4, list(enumerate(names)), grid=False),
        y=Axis("actual minus predicted, points", -edge, edge),
        marks=[
            Rule(y=0.0),
            Spans(places, low, places, high),
            Points("median, with the span of four rows in five", places, median, symbol="diamond", hover=told),
        ],
        height=380,
    )


def importance(features: Lines, kind: str) -> Picture:
    """By how many points the error grows when a feature is shuffled."""
    added, spread = (floats([line[name] for line in features]) for name in ("mae_added", "std"))
    places = floats([-at for at in range(len(features))])
    low, high = min(float((added - spread).min()), 0.0), float((added + spread).max()) * 1.05 or 1.0
    told = [f"{a:+.3f} ± {s:.3f} points" for a, s in zip(added, spread, strict=True)]
    most = features[0]
    return Picture(
        title=f"{most['feature']} matters most: without it the error grows by {most['mae_added']:.2f} points ({kind})",
        x=Axis("mean absolute error added by shuffling, points", low, high),
        y=Axis("", -len(features) + 0.4, 0.6, [(-at, str(f["feature"])) for at, f in enumerate(features)], grid=False),
        marks=[
            Boxes("", STATES["full"], added * 0, added, places - 0.34, places + 0.34, told, outline=True),
            Spans(added - spread, places, added + spread, places),
        ],
        height=90 + 20 * len(features),
    )
