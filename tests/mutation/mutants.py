"""Wrong queries made from a right one: one slip each, of the kinds people make.

Some are no query at all, and some give the same answer as the reference; who uses them finds out which.
"""

from collections.abc import Callable, Iterator

from promql_tree import Node, Path, bare, binary, call, closed, nodes, number, put, text

Slips = Iterator[tuple[str, Node]]  # what was done, and what stands there now
COMPARISONS = {">": ("<", ">="), "<": (">", "<="), ">=": ("<", ">"), "<=": (">", "<"), "==": ("!=",), "!=": ("==",)}
OPERATORS = {
    "/": ("*",),
    "*": ("/",),
    "-": ("+",),
    "+": ("-",),
    "and": ("or", "unless"),
    "or": ("and", "unless"),
    "unless": ("and", "or"),
}
FUNCTIONS = {
    "rate": ("irate", "increase", "delta"),
    "irate": ("rate", "increase"),
    "increase": ("rate", "delta", "changes"),
    "delta": ("increase", "deriv"),
    "deriv": ("delta", "rate"),
    "changes": ("resets", "count_over_time"),
    "resets": ("changes",),
    "avg_over_time": ("max_over_time", "sum_over_time", "last_over_time"),
    "max_over_time": ("avg_over_time", "min_over_time"),
    "min_over_time": ("avg_over_time", "max_over_time"),
    "sum_over_time": ("avg_over_time", "count_over_time"),
    "count_over_time": ("sum_over_time",),
    "last_over_time": ("avg_over_time",),
    "clamp_min": ("clamp_max",),
    "clamp_max": ("clamp_min",),
    "ceil": ("floor",),
    "floor": ("ceil",),
    "sort": ("sort_desc",),
    "sort_desc": ("sort",),
}
AGGREGATIONS = {
    "sum": ("avg", "max", "count"),
    "avg": ("sum", "max"),
    "max": ("min", "avg", "sum"),
    "min": ("max", "avg"),
    "count": ("sum", "avg"),
    "topk": ("bottomk",),
    "bottomk": ("topk",),
    "stddev": ("stdvar",),
    "stdvar": ("stddev",),
}
NEGATED = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
USUAL_LABELS = ("job", "instance")
COUNTING = ("rate", "irate", "increase")


def mutants(tree: Node) -> list[tuple[str, str]]:
    """Name and text of every query that is one slip away from this one, each text once, the reference itself never."""
    reference, found = text(tree), {}
    for name, query in [*_units(tree), *_everywhere(tree)]:
        if query != reference:
            found.setdefault(query, name)
    return [(name, query) for query, name in found.items()]


def _everywhere(tree: Node) -> Iterator[tuple[str, str]]:
    labels = _labels(tree)
    for path, node in nodes(tree):
        for slip in _slips(node, labels):
            if slip[1]["type"] in ("matrixSelector", "subquery") and node["type"] not in ("matrixSelector", "subquery"):
                continue  # a range vector where none may stand
            yield slip[0], text(put(tree, path, _fitting(node, path, slip[1])))


def _fitting(node: Node, path: Path, new: Node) -> Node:
    """The new node, in parentheses where it becomes the operand of an operator that binds otherwise than before."""
    operand = bool(path) and path[-1] in ("lhs", "rhs")
    return closed(new) if operand and new.get("op") != node.get("op") else new


def _labels(tree: Node) -> list[str]:
    """Labels this query speaks of, and those every series has."""
    found = [matcher["name"] for _, node in nodes(tree) for matcher in node.get("matchers", [])]
    found += [label for _, node in nodes(tree) for label in node.get("grouping", [])]
    return [label for label in dict.fromkeys([*found, *USUAL_LABELS]) if label != "__name__"]


def _slips(node: Node, labels: list[str]) -> Slips:
    kinds: dict[str, Callable[[Node, list[str]], Slips]] = {
        "vectorSelector": _selector,
        "matrixSelector": _selector,
        "subquery": _window,
        "call": _call,
        "aggregation": _aggregation,
        "binaryExpr": _binary,
    }
    if node["type"] in kinds:
        yield from kinds[node["type"]](node, labels)


def _units(tree: Node) -> Iterator[tuple[str, str]]:
    """The whole answer in another unit; of a comparison, what is compared."""
    inner = bare(tree)
    if inner["type"] in ("matrixSelector", "subquery") or (inner["type"] == "call" and inner["func"]["name"] == "absent"):
        return
    compared = inner["type"] == "binaryExpr" and inner["op"] in COMPARISONS
    target = inner["lhs"] if compared else tree
    for name, op, factor in (("x1000", "*", 1000), ("x100", "*", 100), ("/60", "/", 60), ("/1024", "/", 1024)):
        wrong = binary(target, op, number(factor))
        yield f"unit slip {name}", text({**inner, "lhs": closed(wrong)} if compared else wrong)


def _selector(node: Node, labels: list[str]) -> Slips:
    for index, one in enumerate(node["matchers"]):
        if one["name"] == "__name__":
            continue
        shown = f"{one['name']}{one['type']}{one['value']!r}"
        rest = [*node["matchers"][:index], *node["matchers"][index + 1 :]]
        yield f"matcher {shown} dropped", {**node, "matchers": rest}
        yield f"matcher {shown} negated", {**node, "matchers": [*rest, {**one, "type": NEGATED[one["type"]]}]}
        if one["value"][:1] in ("4", "5"):  # a class of status codes
            other = {"4": "5", "5": "4"}[one["value"][0]] + one["value"][1:]
            yield f"matcher {shown} -> {other!r}", {**node, "matchers": [*rest, {**one, "value": other}]}
    if node["offset"]:
        yield "offset dropped", {**node, "offset": 0}
        yield "offset doubled", {**node, "offset": 2 * node["offset"]}
    if node["timestamp"] is not None or node["startOrEnd"]:
        yield "@ dropped", {**node, "timestamp": None, "startOrEnd": None}
    yield from _window(node, labels)


def _window(node: Node, labels: list[str]) -> Slips:
    if "range" not in node:
        return
    for name, factor in (("halved", 0.5), ("doubled", 2), ("ten times as long", 10)):
        yield f"window {name}", {**node, "range": int(node["range"] * factor)}
    if node["type"] == "subquery" and node["offset"]:
        yield "offset dropped", {**node, "offset": 0}


def _call(node: Node, labels: list[str]) -> Slips:
    name, arguments = node["func"]["name"], node["args"]
    for other in FUNCTIONS.get(name, ()):
        yield f"{name} -> {other}", call(other, *arguments)
    first = bare(arguments[-1 if name.startswith(("histogram_quantile", "quantile_over")) else 0]) if arguments else None
    if first and first["type"] == "matrixSelector":
        yield f"{name} forgotten", _instant(first)
    elif first and name not in ("vector", "scalar", "time"):
        yield f"{name} forgotten", first
    if name in ("histogram_quantile", "quantile_over_time") and arguments[0]["type"] == "numberLiteral":
        yield from _quantiles(node)
    if name == "histogram_quantile":
        yield from _averaged(node, labels)
    if name == "predict_linear" and arguments[1]["type"] == "numberLiteral":
        yield "horizon halved", call(name, arguments[0], number(float(arguments[1]["val"]) / 2))
        yield "horizon / 60", call(name, arguments[0], number(float(arguments[1]["val"]) / 60))


def _instant(selector: Node) -> Node:
    return {**selector, "type": "vectorSelector"}


def _quantiles(node: Node) -> Slips:
    share = float(node["args"][0]["val"])
    for other in dict.fromkeys((0.95 if share == 0.99 else 0.99, 0.5 if share != 0.5 else 0.9, share * 100)):
        yield f"quantile {share:g} -> {other:g}", call(node["func"]["name"], number(other), *node["args"][1:])


def _averaged(node: Node, labels: list[str]) -> Slips:
    """The average of each instance's quantile, where the quantile of the sum was wanted."""
    share, inner = node["args"][0], bare(node["args"][1])
    if inner["type"] != "aggregation" or inner["without"] or "le" not in inner["grouping"]:
        return
    kept = [label for label in inner["grouping"] if label != "le"]
    for label in labels:
        if label not in inner["grouping"]:
            finer = {**inner, "grouping": [*inner["grouping"], label]}
            each = call("histogram_quantile", share, finer)
            yield f"quantiles averaged over {label}", {**inner, "op": "avg", "grouping": kept, "expr": each}
    each = call("histogram_quantile", share, inner["expr"])
    yield "quantiles of all series averaged", {**inner, "op": "avg", "grouping": kept, "expr": each}


def _aggregation(node: Node, labels: list[str]) -> Slips:
    op, grouping = node["op"], node["grouping"]
    word = "without" if node["without"] else "by"
    for other in AGGREGATIONS.get(op, ()):
        yield f"{op} -> {other}", {**node, "op": other}
    for label in grouping:
        yield f"{word}: {label} dropped", {**node, "grouping": [one for one in grouping if one != label]}
    for label in labels:
        if label not in grouping:
            yield f"{word}: {label} added", {**node, "grouping": [*grouping, label]}
    if grouping:
        yield f"{word} -> the other", {**node, "without": not node["without"]}
        if len(grouping) > 1:
            yield f"{word} dropped", {**node, "grouping": [], "without": False}
    yield f"{op} forgotten", node["expr"]
    if node["param"] and node["param"]["type"] == "numberLiteral":
        value = float(node["param"]["val"])
        changed = (value + 1, value - 1) if op in ("topk", "bottomk") else (0.5 if value != 0.5 else 0.9,)
        for other in changed:
            yield f"{op} {value:g} -> {other:g}", {**node, "param": number(other)}
    if not node["param"]:
        yield from _too_early(node)


def _too_early(node: Node) -> Slips:
    """The sum first and the rate after it, through a subquery or not at all."""
    inner = bare(node["expr"])
    if inner["type"] != "call" or inner["func"]["name"] not in COUNTING or inner["args"][0]["type"] != "matrixSelector":
        return
    selector = inner["args"][0]
    total = {**node, "expr": _instant(selector)}
    window = {"type": "subquery", "expr": total, "range": selector["range"], "step": 60_000, "offset": 0}
    name = inner["func"]["name"]
    yield f"{node['op']} before {name}", call(name, {**window, "timestamp": None, "startOrEnd": None})


def _binary(node: Node, labels: list[str]) -> Slips:
    op, lhs, rhs = node["op"], node["lhs"], node["rhs"]
    for other in COMPARISONS.get(op, OPERATORS.get(op, ())):
        yield f"{op} -> {other}", {**node, "op": other}
    if op in ("/", "-", "%", "^"):
        yield f"{op} upside down", {**node, "lhs": closed(rhs), "rhs": closed(lhs), "matching": _swapped(node["matching"])}
    yield f"left of {op} only", lhs
    if bare(rhs)["type"] != "numberLiteral":
        yield f"right of {op} only", rhs
    if op in COMPARISONS and node["matching"] is None:
        yield ("bool dropped" if node["bool"] else "bool added"), {**node, "bool": not node["bool"]}
        yield from _thresholds(node)
    if node["matching"]:
        for name, matching in _matchings(node["matching"], labels):
            yield name, {**node, "matching": matching}


def _thresholds(node: Node) -> Slips:
    for side in ("lhs", "rhs"):
        if node[side]["type"] == "numberLiteral":
            value = float(node[side]["val"])
            for other in (value * 1.2, value * 0.8) if value else (1,):
                yield f"threshold {value:g} -> {other:g}", {**node, side: number(other)}


def _swapped(matching: Node | None) -> Node | None:
    sides = {"many-to-one": "one-to-many", "one-to-many": "many-to-one"}
    return matching and {**matching, "card": sides.get(matching["card"], matching["card"])}


def _matchings(matching: Node, labels: list[str]) -> Iterator[tuple[str, Node]]:
    word, names, card = "on" if matching["on"] else "ignoring", matching["labels"], matching["card"]
    for label in names:
        yield f"{word}: {label} dropped", {**matching, "labels": [one for one in names if one != label]}
    for label in labels:
        if label not in names and label not in matching["include"] and (matching["on"] or names):
            yield f"{word}: {label} added", {**matching, "labels": [*names, label]}
    if matching["on"] or names:
        yield f"{word} -> the other", {**matching, "on": not matching["on"]}
        if card != "many-to-many":
            yield f"{word} forgotten", {**matching, "on": False, "labels": [], "card": "one-to-one", "include": []}
    if card in ("many-to-one", "one-to-many"):
        yield "grouping modifier dropped", {**matching, "card": "one-to-one", "include": []}
        yield "grouping modifier on the other side", _swapped(matching)
        for label in matching["include"]:
            yield f"{label} not taken over", {**matching, "include": [one for one in matching["include"] if one != label]}
    if card == "one-to-one":
        yield "group_left added", {**matching, "card": "many-to-one"}
