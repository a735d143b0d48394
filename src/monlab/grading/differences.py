"""Why a result is not the wanted one: the first condition that fails, as a sentence that does not tell the right values."""

import numpy as np

from monlab.grading.instants import Instants, words
from monlab.grading.results import Labels, Lines, Outcome, Result, close
from monlab.grading.shape import SHOWN, Shape

# How many times too large all values are -> what usually lies behind it.
FACTORS = {
    100: "a percentage where a share was asked",
    1 / 100: "a share where a percentage was asked",
    60: "per minute where per second was asked, or seconds where minutes were",
    1 / 60: "per second where per minute was asked, or minutes where seconds were",
    3600: "per hour where per second was asked, or seconds where hours were",
    1 / 3600: "per second where per hour was asked, or hours where seconds were",
    86400: "per day where per second was asked, or seconds where days were",
    1 / 86400: "per second where per day was asked, or days where seconds were",
    1000: "thousandths where whole units were asked, as milliseconds for seconds",
    1 / 1000: "whole units where thousandths were asked, as seconds for milliseconds",
    8: "bits where bytes were asked",
    1 / 8: "bytes where bits were asked",
    1024: "a step of KiB, MiB, GiB too few",
    1 / 1024: "a step of KiB, MiB, GiB too many",
}


NOTHING = (
    "Your query gives nothing at any instant of the archive. It may be that no series fits a selector, that the two sides of an "
    "operator have no labels in common, that a comparison drops all, or that a window of less than two minutes holds one sample. "
    "Ask its parts one by one."
)


def first_difference(mine: Result, wanted: Result, instants: Instants, tolerance: float) -> str:
    """The first condition that `mine` fails. Both are known to differ."""
    if mine.empty:
        return NOTHING
    names = _label_names(mine, wanted)
    if len(mine.labels) != len(wanted.labels):
        count = f"Your query gives {len(mine.labels):,} series where {len(wanted.labels):,} {'is' if len(wanted.labels) == 1 else 'are'} wanted."
        return f"{count} {names}".strip()
    if names:
        return names
    if mine.labels != wanted.labels:
        strange = sorted(set(mine.labels) - set(wanted.labels))[0]
        return f"The number of series and their labels' names are right; {braced(strange)} is none of the wanted series."
    return _presence(mine, wanted, instants) or _values(mine, wanted, instants, tolerance)


def line_difference(mine: Outcome, wanted: Outcome) -> str:
    """The same where log lines are asked for, or given."""
    if not isinstance(mine, Lines):
        return "Your query gives numbers; log lines are wanted."
    if not isinstance(wanted, Lines):
        return "Your query gives log lines; numbers are wanted: count them (`count_over_time`, `rate`)."
    if not mine.ids:
        return "Your query selects no line: no stream fits its selector, or no line its filters."
    strange = len(set(mine.ids) - set(wanted.ids))
    found = f"Your query selects {len(mine.ids):,} lines where {len(wanted.ids):,} are wanted"
    return f"{found}; {strange:,} of yours are not among those." if strange else f"{found}; all of yours are among those."


def _label_names(mine: Result, wanted: Result) -> str:
    if "__name__" in mine.label_names and "__name__" not in wanted.label_names:
        return "They are of several metrics: name the one that is asked."
    extra = [name for name in mine.label_names if name not in wanted.label_names]
    missing = [name for name in wanted.label_names if name not in mine.label_names]
    found = (
        [f"the label{'s' if len(extra) > 1 else ''} {', '.join(f'`{name}`' for name in extra)} should not be left in it"]
        if extra
        else []
    )
    found += (
        [f"it lacks the label{'s' if len(missing) > 1 else ''} {', '.join(f'`{name}`' for name in missing)}"] if missing else []
    )
    return f"Look at the labels of the result: {'; '.join(found)}." if found else ""


def _presence(mine: Result, wanted: Result, instants: Instants) -> str:
    """About the first instant at which one of the two has a value and the other has none."""
    lone = mine.present != wanted.present
    if not lone.any():
        return ""
    column = int(np.argmax(lone.any(axis=0)))
    row = int(np.argmax(lone[:, column]))
    series = f"the series {braced(mine.labels[row])}" if mine.labels[row] else "your result"
    at = words(instants.times[column])
    if mine.present[row, column]:
        return f"At {at} UTC {series} has a value where none is wanted (so at {_of(lone)})."
    return f"At {at} UTC {series} has no value, and one is wanted (so at {_of(lone)})."


def _of(wrong: np.ndarray) -> str:
    instants = np.asarray(wrong.any(axis=0))
    return f"{int(instants.sum())} of {len(instants)} instants"


def _values(mine: Result, wanted: Result, instants: Instants, tolerance: float) -> str:
    hint = ratio_hint(mine.values[mine.present], wanted.values[wanted.present])
    if hint:
        return f"Series and labels are right. The values are not: {hint}"
    wrong = mine.present & ~close(mine.values, wanted.values, tolerance)
    column = int(np.argmax(wrong.any(axis=0)))
    row = int(np.argmax(wrong[:, column]))
    yours, right = float(mine.values[row, column]), float(wanted.values[row, column])
    series = f" for {braced(mine.labels[row])}" if mine.labels[row] else ""
    return (
        f"Series and labels are right, and the values differ at {_of(wrong)}. First at {words(instants.times[column])} UTC{series}: "
        f"yours is {yours:.6g}, {distance(yours, right)}."
    )


def distance(yours: float, right: float) -> str:
    """How far off one value is, without telling the right one where that can be avoided."""
    if not (np.isfinite(yours) and np.isfinite(right)):
        return "not a number that can be compared" if not np.isfinite(yours) else "a number where none can be"
    if yours * right < 0:
        return "of the wrong sign"
    if right == 0:
        return "above the right one" if yours > 0 else "below the right one"
    ratio = yours / right
    return (
        "nothing, where something is wanted"
        if ratio == 0
        else f"{ratio:{'.7g' if 0.99 < ratio < 1.01 else '.4g'}} times the right one"
    )


def ratio_hint(mine: np.ndarray, wanted: np.ndarray) -> str:
    """What all values have in common against the right ones, when it is one simple thing; else empty."""
    used = np.isfinite(wanted)
    if not np.array_equal(used, np.isfinite(mine)):
        return ""
    mine, wanted = mine[used], wanted[used]
    solid = (mine != 0) & (wanted != 0)
    if not solid.any() or not np.array_equal(mine == 0, wanted == 0):
        return _complement(mine, wanted)
    ratios = mine[solid] / wanted[solid]
    factor = float(np.median(ratios))
    if np.allclose(ratios, factor, rtol=1e-6):
        return "" if np.isclose(factor, 1, rtol=1e-4) else _factor(factor)
    products = mine[solid] * wanted[solid]
    if solid.sum() > 1 and np.allclose(products, 1, rtol=1e-6):
        return "each is 1 divided by the right one: the ratio stands upside down."
    return _complement(mine, wanted)


def _complement(mine: np.ndarray, wanted: np.ndarray) -> str:
    if mine.size > 1 and np.allclose(mine + wanted, 1, rtol=0, atol=1e-9):
        return "each is 1 minus the right one: the share of the others."
    return ""


def _factor(factor: float) -> str:
    if np.isclose(factor, -1, rtol=1e-6):
        return "all have the wrong sign."
    for known, meaning in FACTORS.items():
        if np.isclose(factor, known, rtol=1e-6):
            return f"all are {_times(known)}: {meaning}."
    return f"all are {factor:.6g} times the right ones."


def _times(factor: float) -> str:
    return f"{factor:,.0f} times too large" if factor > 1 else f"{1 / factor:,.0f} times too small"


def shape(result: Result, instants: Instants) -> Shape:
    """A result's shape, with the last value of its first series."""
    return Shape(
        len(result.labels),
        result.label_names,
        tuple(_example(result, row, instants) for row in range(min(SHOWN, len(result.labels)))),
    )


def _example(result: Result, row: int, instants: Instants) -> str:
    seen = np.flatnonzero(result.present[row])
    if not seen.size:
        return braced(result.labels[row])
    return f"{braced(result.labels[row])} {result.values[row, seen[-1]]:.6g} at {words(instants.times[seen[-1]])}".strip()


def braced(labels: Labels) -> str:
    """Labels as PromQL writes them; empty when there are none."""
    inside = ", ".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""
