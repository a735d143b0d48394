"""What kind of number a query gives, told from the names of its metrics and Prometheus' own reading of it. Pure functions of that tree."""

import re
from typing import Any

Tree = dict[str, Any]
SECONDS, BYTES, COUNT, RATIO, PERCENT = "seconds", "bytes", "count", "ratio", "percent"
SHARE = f"{SECONDS}/s"  # seconds spent in each second: a share of the time, or cores at work
COUNTERS = ("_total", "_count", "_sum", "_bucket")
RATES = ("rate", "irate", "deriv")
RISES = ("increase", "delta", "idelta")
KEEPS = (
    "avg_over_time", "max_over_time", "min_over_time", "last_over_time", "sum_over_time", "abs", "ceil", "floor", "round", "clamp",
    "clamp_min", "clamp_max", "predict_linear", "label_replace", "label_join", "sort", "sort_desc", "quantile_over_time",
)  # fmt: skip
# What a panel may call such a number. "" and "none" would leave the reader to guess.
HIDDEN = re.compile(
    r"bytes|bits|kb|time|latency|duration|seconds|_ms\b|millis|micros|nanos|joules|watts|hertz|celsius|cents|ratio|percent",
    re.IGNORECASE,
)  # a counter with such a word counts no events
PARTS = re.compile(r"hit|miss|error|fail|success|drop|reject|retr|timeout", re.IGNORECASE)  # a part of what the other one counts
CORES = ("cores", "cpu")  # no units of Grafana, which writes them behind the number, and that is right
UNITS = {
    SECONDS: ("s", "dtdurations", "dthms", "dtdhms", "clocks"),
    BYTES: ("bytes", "decbytes"),
    f"{BYTES}/s": ("Bps", "binBps"),
    RATIO: ("percentunit",),
    SHARE: ("percentunit", "short", "sishort", "none", "", *CORES),
    PERCENT: ("percent",),
}
MEANT = {
    **{unit: SECONDS for unit in UNITS[SECONDS]},
    **dict.fromkeys(("ms", "µs", "ns", "m", "h", "d", "dtdurationms"), "another unit of time"),
    **{unit: BYTES for unit in UNITS[BYTES]},
    **{unit: f"{BYTES}/s" for unit in UNITS[f"{BYTES}/s"]},
    **dict.fromkeys(("bits", "bps", "binbps", "decbits"), "bits"),
    **dict.fromkeys(
        ("kbytes", "mbytes", "gbytes", "deckbytes", "decmbytes", "decgbytes", "MBs", "MiBs", "KBs", "KiBs"), "a multiple of bytes"
    ),
    "percentunit": RATIO,
    "percent": PERCENT,
}


def base(metric: str) -> str | None:
    """The unit in a metric's name, None when it has none."""
    stem = metric.removesuffix("_total").removesuffix("_sum")
    if metric.endswith(("_count", "_bucket")):
        return COUNT
    if stem.endswith("_timestamp_seconds") or (stem.endswith("_time_seconds") and not metric.endswith("_total")):
        return None
    if "_per_" in stem:
        return None
    for name in (SECONDS, BYTES, RATIO, PERCENT):
        if stem.endswith(f"_{name}"):
            return name
    if not metric.endswith("_total"):
        return None
    return BYTES if BYTES in stem.split("_") else None if HIDDEN.search(stem) else COUNT


def dimension(tree: Tree) -> str | None:
    """seconds, bytes, bytes/s, count, count/s, ratio or percent; None when it cannot be told."""
    kind = tree["type"]
    if kind in ("vectorSelector", "matrixSelector"):
        return base(tree["name"])
    if kind in ("parenExpr", "unaryExpr", "subquery"):
        return dimension(tree["expr"])
    if kind == "aggregation":
        return (
            COUNT
            if tree["op"] in ("count", "count_values")
            else None
            if tree["op"] in ("group", "stddev", "stdvar")
            else dimension(tree["expr"])
        )
    if kind == "call":
        return _call(tree)
    if kind == "binaryExpr":
        return _binary(tree)
    return None


def _call(tree: Tree) -> str | None:
    name, args = tree["func"]["name"], tree["args"]
    vectors = [one for one in args if one["type"] not in ("numberLiteral", "stringLiteral")]
    if not vectors:
        return None
    inside = dimension(vectors[-1] if name == "histogram_quantile" else vectors[0])
    if name in RATES:
        return {SECONDS: SHARE, BYTES: f"{BYTES}/s", COUNT: f"{COUNT}/s"}.get(inside or "")
    if name == "histogram_quantile":
        names = [one["name"] for one in nodes(vectors[-1]) if one["type"] in ("vectorSelector", "matrixSelector")]
        return base(names[0].removesuffix("_bucket")) if names else None
    return inside if name in RISES or name in KEEPS else None


def _binary(tree: Tree) -> str | None:
    left, right, op = tree["lhs"], tree["rhs"], tree["op"]
    one, other = dimension(left), dimension(right)
    if op in ("==", "!=", ">", "<", ">=", "<=", "and", "unless", "or"):
        return one or (other if op == "or" else None)
    if op in ("+", "-"):
        numbers = [_number(side) for side in (left, right)]
        if numbers[0] in (1.0, 100.0) and other == (RATIO if numbers[0] == 1 else PERCENT):
            return other
        if numbers[0] == 1.0 and other == SHARE:
            return RATIO
        return one if one == other or (one and _is_number(right)) else None
    if op == "/":
        if one and one == other:
            return RATIO if one not in (COUNT, f"{COUNT}/s") or _part(left, right) else None
        if one in (SECONDS, BYTES) and other == COUNT:
            return one
        return {(SHARE, f"{COUNT}/s"): SECONDS, (f"{BYTES}/s", f"{COUNT}/s"): BYTES}.get((one or "", other or ""))
    if op == "*":
        for side, number in ((one, _number(right)), (other, _number(left))):
            if number == 100 and side in (RATIO, SHARE):
                return PERCENT
    return None


def _part(left: Tree, right: Tree) -> bool:
    """Whether one count is a part of the other: the same metric, or hits and errors of it. Rows of a transaction are no part of it."""
    one, other = (
        {re.sub("_(total|count|bucket)$", "", x["name"]) for x in nodes(side) if x["type"].endswith("Selector")}
        for side in (left, right)
    )
    return bool(one & other) or any(PARTS.search(name) for name in one)


def _is_number(tree: Tree) -> bool:
    return _number(tree) is not None


def _number(tree: Tree) -> float | None:
    if tree["type"] == "parenExpr":
        return _number(tree["expr"])
    return float(tree["val"]) if tree["type"] == "numberLiteral" else None


def nodes(tree: Any) -> list[Tree]:
    """The node and all below it."""
    if isinstance(tree, list):
        return [one for part in tree for one in nodes(part)]
    if not isinstance(tree, dict):
        return []
    below = [one for key, part in tree.items() if key in ("expr", "args", "lhs", "rhs", "param") for one in nodes(part)]
    return [tree, *below] if "type" in tree else below
