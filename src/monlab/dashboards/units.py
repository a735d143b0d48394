"""Numbers with units, written as Grafana writes them."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from monlab.dashboards.unit_table import BINARY, COUNT, CURRENCY, DECIMAL, PLAIN

Format = Callable[[float, int | None], str]
SI = (" f", " p", " n", " µ", " m", " ", " k", " M", " G", " T", " P", " E", " Z", " Y")
SI_NONE = SI.index(" ")
IEC = (" ", " Ki", " Mi", " Gi", " Ti", " Pi", " Ei", " Zi", " Yi")
SHORT = ("", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept")
THOUSANDS = ("", "K", "M", "B", "T")
SMALLEST = 1e-300  # no digits of a number below it can be counted
ENDLESS = ("string", "locale", "hex", "hex0x", "sci", "dtdurations", "dtdurationms", "dthms", "dtdhms", "clocks", "clockms")
HOUR_MS = 3_600_000
MINUTE, HOUR, DAY, WEEK, YEAR = 60.0, 3600.0, 86_400.0, 604_800.0, 31_536_000.0


def formatted(value: float, unit: str = "", decimals: int | None = None) -> str:
    """The text that Grafana shows for a number in a unit. An id that it does not know stands behind the number as it is.

    Where Grafana writes "Infinity:0NaN:0NaN" and its like, the sign of infinity stands.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value) and unit in ENDLESS:
        return number(value)
    return _format(unit)(float(value), decimals)  # numpy writes its own numbers differently


def number(value: float, decimals: int | None = None) -> str:
    """The digits alone: as many decimals as asked for, else as many as the size needs."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) < SMALLEST:
        value = 0.0
    if decimals is None:
        decimals = _decimals(value)
    if value == 0:
        return f"{0:.{decimals}f}"
    factor = 10.0**decimals if decimals else 1.0
    text = _shortest(_half_up(value * factor) / factor if math.isfinite(value * factor) else value)
    if "e" in text:
        return text
    whole, _, part = text.partition(".")
    return f"{whole}.{part.ljust(decimals, '0')}" if decimals > len(part) else text


def _half_up(value: float) -> float:
    """Nearest whole number, halves upward, as JavaScript rounds."""
    low = math.floor(value)
    return float(low + (value - low >= 0.5))


def _shortest(value: float) -> str:
    """The shortest text that reads back as the same number, as JavaScript writes it."""
    if value == 0:
        return "0"
    size = abs(value)
    if 1e-6 <= size < 1e21:
        if value == int(value):
            return str(int(value))
        text = repr(value)
        return text if "e" not in text else f"{value:.20f}".rstrip("0")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _decimals(value: float) -> int:
    """Enough to show two or three digits of a number below ten; none for whole numbers."""
    if value == 0 or value % 1 == 0:
        return 0
    size = abs(value)
    wanted = 1 - math.floor(math.log(size) / math.log(10))
    return max(0, wanted + (size / 10.0**-wanted > 2.25))


def scaled(steps: float, prefixes: tuple[str, ...], offset: int = 0, unit: str = "") -> Format:
    """A number in thousands or 1024s of its unit; `offset` is the prefix that the value already carries."""

    def write(value: float, decimals: int | None) -> str:
        if math.isinf(value):
            return number(value)
        power = 0 if value == 0 else math.floor(math.log10(abs(value)) / math.log10(steps))
        place = min(max(offset + power, 0), len(prefixes) - 1)
        power = min(max(power, -offset), len(prefixes) - offset - 1)
        return f"{number(value / steps**power, decimals)}{prefixes[place]}{unit}"

    return write


def plain(unit: str) -> Format:
    return lambda value, decimals: number(value, decimals) + (f" {unit}" if unit else "")


def _currency(symbol: str, behind: bool) -> Format:
    digits = scaled(1000, THOUSANDS)

    def write(value: float, decimals: int | None) -> str:
        text = digits(abs(value), decimals)
        return ("-" if value < 0 else "") + (text + symbol if behind else symbol + text)

    return write


def _count(unit: str) -> Format:
    return scaled(1000, THOUSANDS, unit=f" {unit}")


def _span(value: float, decimals: int | None, word: str) -> str:
    plural = "s" if abs(value) > 1 and word in ("min", "hour", "day", "week", "year") else ""
    return f"{number(value, decimals)} {word}{plural}"


def _steps(*steps: tuple[float, float, str]) -> Format:
    """Rows of: below this size, divide by, call it. The last row takes the rest.

    A value that is not divided keeps its word in the singular ("5 min"), except days: so Grafana writes it.
    """

    def write(value: float, decimals: int | None) -> str:
        _, by, word = next((one for one in steps if abs(value) < one[0]), steps[-1])
        return f"{number(value, decimals)} {word}" if by == 1 and word != "day" else _span(value / by, decimals, word)

    return write


def _tail(base: float) -> tuple[tuple[float, float, str], ...]:
    """From seconds upward, in units of `base` a second."""
    return ((MINUTE * base, base, "s"), (HOUR * base, MINUTE * base, "min"), (DAY * base, HOUR * base, "hour"))


def _seconds(value: float, decimals: int | None) -> str:
    size = abs(value)
    if value == 0:
        return "0 s"
    for below, times, word in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if size < below:
            return _span(value * times, decimals, word)
    return _long_seconds(value, decimals)


_long_seconds = _steps(*_tail(1), (WEEK, DAY, "day"), (YEAR, WEEK, "week"), (math.inf, 31_556_900, "year"))
UNITS_OF_TIME = (
    ("year", YEAR), ("month", 2_592_000.0), ("week", WEEK), ("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1.0),
    ("millisecond", 0.001),
)  # fmt: skip


def _duration(base_s: float, word: str) -> Format:
    """`1 hour, 5 minutes`: as many units as there are decimals, and one more."""

    def write(value: float, decimals: int | None) -> str:
        if value == 0:
            return f"0 {word}s"
        if value < 0:
            return f"{write(-value, decimals)} ago"
        left, parts, room, started = value * base_s * 1000, [], decimals or 0, False
        if math.isinf(left):
            return number(left)
        for name, seconds in UNITS_OF_TIME:
            if room < 0:
                break
            count = left / (seconds * 1000)
            if count >= 1 or started:
                started, room = True, room - 1
                whole = math.floor(count)
                parts.append(f"{whole} {name}" + ("" if whole == 1 else "s"))
                left %= seconds * 1000
        return ", ".join(parts)

    return write


def _clock_text(value: float) -> str:
    hours, rest = divmod(math.floor(value), 3600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"


def _hms(value: float, _decimals: int | None) -> str:
    return f"{_clock_text(-value)} ago" if value < 0 else _clock_text(value)


def _dhms(value: float, decimals: int | None) -> str:
    if value < 0:
        return f"{_dhms(-value, decimals)} ago"
    days = math.floor(value / DAY)
    return (f"{days} d " if days > 0 else "") + _clock_text(value - days * DAY)


def _clock_of(milliseconds_each: int) -> Format:
    """`1h:01m:40s:000ms`: as many parts as there are decimals, and one more; all of them without a number of decimals."""

    def write(value: float, decimals: int | None) -> str:
        size = value * milliseconds_each
        if math.isinf(size):
            return number(size)
        left = math.floor(size)
        parts = [f"{left // 60_000 % 60:02}m", f"{left // 1000 % 60:02}s", f"{left % 1000:03}ms"]
        parts = [f"{left // HOUR_MS}h", *parts] if left >= HOUR_MS else parts[1:] if left < 60_000 else parts
        parts = parts[-1:] if left < 1000 else parts
        return ":".join(parts if decimals is None else parts[: decimals + 1])

    return write


def _stamp(pattern: str) -> Format:
    """A time in milliseconds since 1970, in UTC."""

    def write(value: float, _decimals: int | None) -> str:
        try:
            return datetime.fromtimestamp(value / 1000, UTC).strftime(pattern)
        except (ValueError, OverflowError, OSError):
            return "Invalid date"

    return write


def _american(value: float, decimals: int | None) -> str:
    return _stamp("%m/%d/%Y %I:%M:%S %p")(value, decimals).replace("AM", "am").replace("PM", "pm")


def _hex(value: float, decimals: int | None) -> str:
    return f"{'-' if value < 0 else ''}{abs(int(float(number(value, decimals)))):X}"


def _hex0x(value: float, decimals: int | None) -> str:
    text = _hex(value, decimals)
    return f"-0x{text[1:]}" if text.startswith("-") else f"0x{text}"


def _locale(value: float, decimals: int | None) -> str:
    text = f"{value:,.{3 if decimals is None else decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(value: float, decimals: int | None) -> str:
    if decimals is None:
        digits = repr(abs(value)).split("e")[0].replace(".", "").strip("0")
        decimals = max(len(digits) - 1, 0)
    mantissa, _, exponent = f"{value:.{decimals}e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"


SPECIAL: dict[str, Format] = {
    "": plain(""),
    "none": plain(""),
    "string": lambda value, _decimals: _shortest(value),
    "short": scaled(1000, SHORT),
    "sishort": scaled(1000, SI, SI_NONE),
    "percent": lambda value, decimals: f"{number(value, decimals)}%",
    "percentunit": lambda value, decimals: f"{number(100 * value, decimals)}%",
    "hex": _hex,
    "hex0x": _hex0x,
    "sci": _scientific,
    "locale": _locale,
    "pressurepsi": scaled(1000, ("psi", "ksi", "Mpsi")),
    "ns": _steps((1e3, 1, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms"), *_tail(1e9), (math.inf, DAY * 1e9, "day")),
    "µs": _steps((1e3, 1, "µs"), (1e6, 1e3, "ms"), (math.inf, 1e6, "s")),
    "ms": _steps((1e3, 1, "ms"), *_tail(1e3), (YEAR * 1e3, DAY * 1e3, "day"), (math.inf, YEAR * 1e3, "year")),
    "s": _seconds,
    "m": _steps(
        (60, 1, "min"), (1440, 60, "hour"), (10_080, 1440, "day"), (604_800, 10_080, "week"), (math.inf, 525_948, "year")
    ),
    "h": _steps((24, 1, "hour"), (168, 24, "day"), (8760, 168, "week"), (math.inf, 8760, "year")),
    "d": _steps((7, 1, "day"), (365, 7, "week"), (math.inf, 365, "year")),
    "dtdurationms": _duration(0.001, "millisecond"),
    "dtdurations": _duration(1.0, "second"),
    "dthms": _hms,
    "dtdhms": _dhms,
    "clocks": _clock_of(1000),
    "clockms": _clock_of(1),
    "timeticks": lambda value, decimals: _seconds(value / 100, decimals),
    "bool": lambda value, _decimals: "True" if value else "False",
    "bool_yes_no": lambda value, _decimals: "Yes" if value else "No",
    "bool_on_off": lambda value, _decimals: "On" if value else "Off",
    "dateTimeAsIso": _stamp("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsIsoNoDateIfToday": _stamp("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsSystem": _stamp("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsLocal": _stamp("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsLocalNoDateIfToday": _stamp("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsUS": _american,
    "dateTimeAsUSNoDateIfToday": _american,
    "dateTimeFromNow": _stamp("%Y-%m-%d %H:%M:%S"),  # a picture is looked at later, so it names the time itself
}


def _known() -> dict[str, Format]:
    found = dict(SPECIAL)
    for offset, table in DECIMAL.items():
        found |= {name: scaled(1000, SI, SI_NONE + offset, unit) for name, unit in table.items()}
    for offset, table in BINARY.items():
        found |= {name: scaled(1024, IEC, offset, unit) for name, unit in table.items()}
    for behind, table in CURRENCY.items():
        found |= {name: _currency(symbol, bool(behind)) for name, symbol in table.items()}
    found |= {name: plain(unit) for table in PLAIN.values() for name, unit in table.items()}
    found |= {name: _count(unit) for table in COUNT.values() for name, unit in table.items()}
    return found | {"farenheit": found["fahrenheit"]}


KNOWN = _known()
OPEN = ("prefix", "suffix", "si", "count", "currency", "bool", "time")  # `suffix:orders` and its like


def is_known(unit: str) -> bool:
    """Whether Grafana has a unit of this id; any other text is written behind the number."""
    return unit in KNOWN or unit.partition(":")[0] in OPEN


def _format(unit: str) -> Format:
    if unit in KNOWN:
        return KNOWN[unit]
    kind, colon, rest = unit.partition(":")
    if not colon or not kind:
        return plain(unit)
    if kind == "prefix":
        return lambda value, decimals: rest + number(value, decimals)
    if kind == "suffix":
        return plain(rest)
    if kind == "si":
        first = next((place for place, prefix in enumerate(SI) if prefix.strip() == rest[:1] and prefix.strip()), SI_NONE)
        return scaled(1000, SI, first, rest if first == SI_NONE else rest[1:])
    if kind == "count":
        return _count(rest)
    if kind == "currency":
        return _currency(rest, False)
    if kind == "bool":
        true, _, false = rest.partition("/")
        return lambda value, _decimals: true if value else (false if "/" in rest else "-")
    return _stamp("%Y-%m-%d %H:%M:%S") if kind == "time" else plain(unit)
