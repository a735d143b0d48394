"""What a unit of Grafana says about the number beside it: of which kind it is, and how many of the kind's base. Pure functions.

0.95 shown as `percentunit` and 95 shown as `percent` are the same number to a reader; 95 shown as `percentunit` is another one.
Ids: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
"""

import re
from dataclasses import dataclass

from monlab.grading.units import dimension_of

SHARE, TIME, DATA, DATA_RATE, RATE = "a share", "a time", "an amount of data", "data a second", "events a second"
_STEPS = ("k", "m", "g", "t", "p")
KNOWN: dict[str, tuple[str, float]] = {
    "percentunit": (SHARE, 1),
    "percent": (SHARE, 0.01),
    **{name: (TIME, seconds) for name, seconds in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("m", 60), ("h", 3600), ("d", 86400))},
    **dict.fromkeys(("s", "dtdurations", "dthms", "dtdhms", "clocks"), (TIME, 1)),
    **dict.fromkeys(("dtdurationms", "clockms"), (TIME, 1e-3)),
    **dict.fromkeys(("bytes", "decbytes"), (DATA, 1)),
    **dict.fromkeys(("bits", "decbits"), (DATA, 1 / 8)),
    **{f"{step}bytes": (DATA, 1024.0**power) for power, step in enumerate(_STEPS, 1)},
    **{f"dec{step}bytes": (DATA, 1000.0**power) for power, step in enumerate(_STEPS, 1)},
    **dict.fromkeys(("Bps", "binBps"), (DATA_RATE, 1)),
    **dict.fromkeys(("bps", "binbps"), (DATA_RATE, 1 / 8)),
    **{f"{step.upper()}Bs": (DATA_RATE, 1000.0**power) for power, step in enumerate(_STEPS, 1)},
    **{f"{step.upper()}iBs": (DATA_RATE, 1024.0**power) for power, step in enumerate(_STEPS, 1)},
    **{f"{step.upper()}bits": (DATA_RATE, 1000.0**power / 8) for power, step in enumerate(_STEPS, 1)},
    **{f"{step.upper()}ibits": (DATA_RATE, 1024.0**power / 8) for power, step in enumerate(_STEPS, 1)},
    **dict.fromkeys(("reqps", "cps", "ops", "rps", "wps", "iops", "eps", "mps", "recps", "rowsps", "hertz"), (RATE, 1)),
    **dict.fromkeys(("cpm", "opm", "reqpm", "rpm", "wpm", "epm", "mpm", "recpm", "rowspm"), (RATE, 1 / 60)),
}  # fmt: skip
NOTHING = ("", "none", "short", "sishort", "locale", "string", "number")
MONEY = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
PER = re.compile(r"^\s*[\w ]*\s*(?:/|per)\s*(s|sec|second|min|minute|h|hour|d|day)\s*$", re.IGNORECASE)
PER_SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
DATA_SECOND = re.compile(r"^\s*([kKMGTP]?i?)B/s\s*$")


@dataclass(frozen=True)
class Meaning:
    """What a number with this unit is."""

    dimension: str  # empty: the unit says nothing about it
    factor: float = 1.0  # how many of the dimension's base (1, seconds, bytes, per second) it is


def meaning(unit: str) -> Meaning:
    if unit in KNOWN:
        return Meaning(*KNOWN[unit])
    if unit in NOTHING:
        return Meaning("")
    kind, colon, rest = unit.partition(":")
    if unit.startswith("currency") and not colon:
        return Meaning(f"money ({unit.removeprefix('currency')})")
    if not colon:
        return _spoken(unit) or Meaning(f"{unit}?")  # Grafana writes it behind the number as it stands
    if kind in ("prefix", "currency") and rest.strip() in MONEY:
        return Meaning(f"money ({MONEY[rest.strip()]})")
    if kind in ("suffix", "count", "si"):
        return _spoken(rest) or Meaning("")
    return Meaning("") if kind in ("prefix", "bool") else Meaning(f"{kind}?")


def _spoken(text: str) -> Meaning | None:
    """A unit in a person's words: ` ms`, `%`, `req/s`, `MiB/s`, `EUR`. None when it is nothing known (`pieces`)."""
    word = text.strip()
    if word in MONEY or word in MONEY.values():
        return Meaning(f"money ({MONEY.get(word, word)})")
    data = DATA_SECOND.match(word)
    if data:
        return Meaning(DATA_RATE, dimension_of(f"{data[1]}B")[1])
    dimension, factor = dimension_of(word)
    if word and dimension in (SHARE, TIME, DATA):
        return Meaning(dimension, factor)
    per = PER.match(word)
    return Meaning(RATE, 1 / PER_SECONDS[per[1].lower()]) if per else None
