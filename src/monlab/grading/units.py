"""Numbers with units, as people write them: `43.2 min`, `99.9 %`, `0.5 GiB`, `3 h 20 min`. Pure functions."""

import math
import re
from dataclasses import dataclass

# dimension -> unit -> how many of the dimension's base it is
UNITS: dict[str, dict[str, float]] = {
    "a share": {"ratio": 1, "": 1, "%": 0.01, "percent": 0.01, "per cent": 0.01, "‰": 0.001, "permille": 0.001},
    "a time": {
        **dict.fromkeys(("ns",), 1e-9),
        **dict.fromkeys(("us", "µs", "μs"), 1e-6),
        **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
        **dict.fromkeys(("min", "mins", "m", "minute", "minutes"), 60),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
        **dict.fromkeys(("d", "day", "days"), 86400),
        **dict.fromkeys(("w", "week", "weeks"), 604800),
    },
    "an amount of data": {
        **{f"{prefix}B": 1000.0**power for power, prefix in enumerate(("", "k", "M", "G", "T"))},
        **{f"{prefix}iB": 1024.0**power for power, prefix in enumerate(("K", "M", "G", "T"), 1)},
        **{f"{prefix}bit": 1000.0**power / 8 for power, prefix in enumerate(("", "k", "M", "G", "T"))},
        **{"KB": 1000, "byte": 1, "bytes": 1, "bits": 0.125},
    },
    "an amount of money": {
        **dict.fromkeys(("EUR", "eur", "€", "euro", "euros"), 1),
        **dict.fromkeys(("ct", "cent", "cents"), 0.01),
    },
    "a rate": {
        **dict.fromkeys(("/s", "per second", "1/s"), 1),
        **dict.fromkeys(("/min", "per minute"), 1 / 60),
        **dict.fromkeys(("/h", "per hour"), 1 / 3600),
        **dict.fromkeys(("/d", "per day", "/day"), 1 / 86400),
    },
}
NUMBER = r"[+-]?(?:\d[\d  ',_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
PART = re.compile(rf"\s*({NUMBER})\s*([^\d\s.,+'-][^\d,+]*?)?\s*(?=$|[+\d.,])")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[  ',_]\d{3})+(?:\.\d*)?(?:[eE][+-]?\d+)?")


ABOUT = re.compile(r"^(?:[=~≈€]|EUR |about |approximately |roughly |ca\.? |circa )\s*", re.IGNORECASE)  # modesty does not count
AND = re.compile(r"\s+and\s+", re.IGNORECASE)  # 3 hours and 20 minutes
SCALES = {"k": 1e3, "K": 1e3, "thousand": 1e3, "million": 1e6, "mio": 1e6}  # M would be minutes
FRAME = " \t\r\n\"'`*()[]“”„«»‘’"  # round a number, it says nothing
# Narrow blanks and typographic signs as plain ones; letters without width are gone.
PLAIN = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " ") | dict.fromkeys("\u200b\u2060\ufeff") | {"−": "-", "’": "'"})


@dataclass(frozen=True)
class Quantity:
    """A number in the base of its dimension (1, seconds, bytes, per second), or a plain one."""

    value: float
    dimension: str  # a key of UNITS; empty for a number without unit, and for a unit nobody converts ("requests")
    unit: str = ""  # such a unit, as it was written


def quantity(text: str) -> Quantity | None:
    """What a text says, None when it is no number with an optional unit. Parts are added: `3 h 20 min`."""
    found, at = [], 0
    text = AND.sub(" ", ABOUT.sub("", text.strip(FRAME).translate(PLAIN)).strip(FRAME).rstrip(". "))
    while at < len(text):
        match = PART.match(text, at)
        if not match or match.end() == at:
            return None
        number = plain_number(match[1])
        if number is None:
            return None
        found.append(_one(number, (match[2] or "").strip()))
        at = match.end()
    if not found or len({one.dimension for one in found}) > 1 or (len(found) > 1 and not found[0].dimension):
        return None
    return Quantity(math.fsum(one.value for one in found), found[0].dimension, found[0].unit)


def plain_number(text: str) -> float | None:
    """`1 234.5`, `1,234`, `43,2` (a comma before other than three digits is decimal, and so is one after 0), `4.3e-4`."""
    text = text.strip()
    if THOUSANDS.fullmatch(text):
        text = re.sub(r"[  ',_]", "", text)
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def dimension_of(unit: str) -> tuple[str, float]:
    """The dimension of a unit and how many base units it is. Units nobody converts have no dimension."""
    for dimension, units in UNITS.items():
        for name in (unit, unit.lower()):
            if unit and name in units:
                return dimension, units[name]
    return "", 1.0


def _one(number: float, unit: str) -> Quantity:
    dimension, factor = dimension_of(unit)
    scale, _, rest = unit.partition(" ")
    if not dimension and scale in SCALES:  # 1.2 k requests
        return Quantity(number * SCALES[scale], "", rest.strip())
    return Quantity(number * factor, dimension, "" if dimension else unit)
