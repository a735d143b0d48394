"""What is asked of a panel beside its numbers: how it looks, from where it is coloured, what is written on it. Pure functions."""

import colorsys
import re
from collections.abc import Callable

from monlab.dashboards.model import Panel
from monlab.grading.panel_differences import Failure
from monlab.grading.panel_units import meaning

WORD = re.compile(r"[^\W\d_]{2,}")
LEAST_WORDS, LEAST_LETTERS = 3, 8  # letters for scripts that leave no blanks between words
# Where a hue ends, in degrees. Orange counts as yellow: the middle of three.
HUES = ((20, "red"), (70, "yellow"), (170, "green"), (320, "blue"), (360, "red"))


def failed(asks: tuple[str, ...], mine: Panel, wanted: Panel, title: str) -> Failure | None:
    """The first of the asked properties that the panel lacks, None when it has all."""
    for ask in asks:
        found = ASKS[ask](mine, wanted)
        if found:
            detail, sentence = found
            return Failure(ask, title, f"“{title}”: {sentence}", detail)
    return None


Found = tuple[str, str] | None


def _description(mine: Panel, _wanted: Panel) -> Found:
    words = WORD.findall(mine.description)
    if not words:
        return "none", "it has no description."
    letters = [letter for word in words for letter in word if not letter.isascii()]
    if mine.description.strip(" .").casefold() == mine.title.strip(" .").casefold():
        return "title", "its description says nothing that the title does not say. What does it show, and what is to be done?"
    if len(words) < LEAST_WORDS and len(letters) < LEAST_LETTERS:
        return "short", f"its description has fewer than {LEAST_WORDS} words. What does it show, and what is to be done?"
    return None


def _type(mine: Panel, wanted: Panel) -> Found:
    return None if mine.type == wanted.type else (mine.type, f"{mine.type or 'no type'} is not the type of panel that was asked.")


def _thresholds(mine: Panel, wanted: Panel) -> Found:
    """Values in the unit's base, and colours by their hue. A panel for which none are wanted may have any."""
    if not wanted.thresholds:
        return None
    written = [one for one, _ in steps(mine)[1:]]  # the first colour is for all below, number or not
    if written != sorted(written, key=lambda one: float("-inf") if one is None else one):
        return "order", "its thresholds are not in ascending order."
    yours, right = _seen(steps(mine)), _seen(steps(wanted))
    if not yours:
        return "none", "it has no thresholds."
    edges, wanted_edges = [one for one, _ in yours[1:]], [one for one, _ in right[1:]]
    if len(edges) != len(wanted_edges):
        return f"{yours}", f"it has {len(edges)} steps above the base, and {len(wanted_edges)} are asked."
    if edges != wanted_edges:
        return f"{edges}", "a step is not where it was asked. Mind that thresholds are in the unit of the query's numbers."
    colours = [hue for _, hue in yours]
    return None if colours == [hue for _, hue in right] else (f"{colours}", "the steps are right, and their colours are not.")


def _scale(mine: Panel, wanted: Panel) -> Found:
    """Whether the axis or arc begins and ends where it should."""
    factor, right = meaning(mine.unit).factor, meaning(wanted.unit).factor
    ends = [None if one is None else round(one * factor, 9) for one in (mine.least, mine.most)]
    asked = [None if one is None else round(one * right, 9) for one in (wanted.least, wanted.most)]
    wrong = [name for name, one, two in zip(("min", "max"), ends, asked, strict=True) if two is not None and one != two]
    return (f"{ends}", f"its {' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} not what was asked.") if wrong else None


def steps(panel: Panel) -> list[tuple[float | None, str]]:
    """Steps of the thresholds in the unit's base, percentages of the scale as the values they stand for."""
    factor = meaning(panel.unit).factor
    low, high = panel.least or 0.0, 100.0 if panel.most is None else panel.most
    found = []
    for step in panel.thresholds:
        value = step.value
        if value is not None and panel.percentage_thresholds:
            value = low + (high - low) * value / 100
        found.append((None if value is None else round(value * factor, 9), hue(step.color)))
    return found


def _seen(found: list[tuple[float | None, str]]) -> list[tuple[float | None, str]]:
    """Steps without those that go on in the colour of the one before: nobody sees where they begin."""
    return [one for place, one in enumerate(found) if not place or one[1] != found[place - 1][1]]


def hue(color: str) -> str:
    """red, yellow (orange is one), green or blue, or the colour itself where it has no hue."""
    from matplotlib.colors import to_rgb  # takes longer to load than all else here, and few checks need it

    from monlab.dashboards.looks import color_of

    red, green, blue = to_rgb(color_of(color))
    share, _, strength = colorsys.rgb_to_hls(red, green, blue)
    named = next((name for name in ("red", "orange", "yellow", "green", "blue") if color.endswith(name)), "")  # semi-dark-orange
    if named:
        return "yellow" if named == "orange" else named
    if strength < 0.15:
        return "grey"
    return next(name for end, name in HUES if share * 360 <= end)


ASKS: dict[str, Callable[[Panel, Panel], Found]] = {
    "type": _type,
    "thresholds": _thresholds,
    "scale": _scale,
    "description": _description,
}
