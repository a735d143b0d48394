"""Variables of a dashboard, filled into texts. Which values there are, `choices.py` asks the servers.

Syntax and formats: https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from monlab.problem import nearest

PLACE = re.compile(r"\$\{(\w+)(?:\.\w+)?(?::([^}]+))?\}|\[\[(\w+?)(?::(\w+))?\]\]|\$([A-Za-z_]\w*)")
ALL = "$__all"
MOMENT = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S",
    "M": "%m", "D": "%d", "H": "%H", "m": "%M", "s": "%S",
}  # fmt: skip
MOMENT_WORD = re.compile("|".join(MOMENT))  # of a date format; the longest of a letter come first


@dataclass(frozen=True)
class Value:
    """What a variable stands for."""

    values: tuple[str, ...]
    many: bool = False  # it may hold several, so its values are regular expressions
    exact: str = ""  # written as it is: a custom "all" value
    texts: tuple[str, ...] = ()


def one(text: str) -> Value:
    return Value((text,), texts=(text,))


def filled(text: str, known: Mapping[str, Value], unknown: set[str] | None = None) -> str:
    """The text with `$name`, `${name:format}` and `[[name]]` replaced. Names without a value stay, and are put into `unknown`."""

    def replace(found: re.Match[str]) -> str:
        name = found[1] or found[3] or found[5]
        form = found[2] or found[4] or ""
        if name not in known:
            if unknown is not None:
                unknown.add(name)
            return found[0]
        return written(known[name], form, name)

    return PLACE.sub(replace, text)


def names_in(text: str) -> set[str]:
    return {found[1] or found[3] or found[5] for found in PLACE.finditer(text)}


def resembling(name: str, known: Iterable[str]) -> str:
    """`" Did you mean job?"`; Grafana's own names, which begin with `__`, resemble only each other."""
    return nearest(name, [one for one in known if one.startswith("__") == name.startswith("__")])


def written(value: Value, form: str = "", name: str = "") -> str:
    """The value in one of Grafana's formats; without one, as the Prometheus data source writes it. An unknown format is read as glob."""
    if value.exact and form != "text":
        return value.exact
    if not form:
        return _prometheus(value)
    kind, _, rest = form.partition(":")
    if kind == "text":
        return " + ".join(value.texts or value.values)
    if kind == "date":
        return _date(value, rest)
    if kind == "queryparam":
        return "&".join(f"var-{name}={quote(text, safe='')}" for text in value.values)
    if kind == "distributed":
        return f",{name}=".join(value.values)
    if kind == "join":
        return (rest or ",").join(value.values)
    return FORMATS.get(kind, _glob)(value.values)


def _date(value: Value, form: str) -> str:
    """`${__from:date:iso}`: https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#__from-and-__to"""
    text = value.values[0] if value.values else ""
    if not re.fullmatch(r"-?\d{1,14}", text):
        return text
    when = datetime.fromtimestamp(int(text) / 1000, UTC)
    if form in ("", "iso"):
        return f"{when:%Y-%m-%dT%H:%M:%S}.{int(text) % 1000:03}Z"
    if form == "seconds":
        return str(int(text) // 1000)

    def replace(found: re.Match[str]) -> str:
        text = when.strftime(MOMENT[found[0]])
        return text if len(found[0]) > 1 else text.removeprefix("0")

    return MOMENT_WORD.sub(replace, form)


def _prometheus(value: Value) -> str:
    """Several values become a regular expression, with what has a meaning in one escaped (twice: it stands in a quoted text)."""
    if not value.many:
        return value.values[0].replace("\\", "\\\\") if value.values else ""
    escaped = [re.sub(r"([$^*{}\[\]'+?.()|])", r"\\\\\1", text.replace("\\", "\\\\\\\\")) for text in value.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})" if escaped else ""


def _glob(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{{{','.join(values)}}}"


def _regex(values: tuple[str, ...]) -> str:
    escaped = [re.sub(r"([\\^$*+?.()|\[\]{}/])", r"\\\1", text) for text in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _quoted(quote_mark: str) -> Callable[[tuple[str, ...]], str]:
    return lambda values: ",".join(quote_mark + text.replace(quote_mark, "\\" + quote_mark) + quote_mark for text in values)


FORMATS: dict[str, Callable[[tuple[str, ...]], str]] = {
    "csv": ",".join,
    "raw": ",".join,
    "pipe": "|".join,
    "regex": _regex,
    "glob": _glob,
    "json": lambda values: json.dumps(list(values) if len(values) != 1 else values[0], ensure_ascii=False),
    "doublequote": _quoted('"'),
    "singlequote": _quoted("'"),
    "sqlstring": lambda values: ",".join("'" + text.replace("'", "''") + "'" for text in values),
    "lucene": lambda values: values[0] if len(values) == 1 else "(" + " OR ".join(f'"{text}"' for text in values) + ")",
    "percentencode": lambda values: quote(",".join(values), safe=""),
}
