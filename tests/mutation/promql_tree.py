"""The syntax tree of a PromQL query, as Prometheus' own parser gives it, and the way back to text.

A tree is the JSON of `/api/v1/parse_query`: dictionaries with a `type`. Trees are never changed; `put` makes a new one.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from monlab import web

Node = dict[str, Any]
Path = tuple[str | int, ...]  # the keys that lead from the root to a node
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def parse(url: str, query: str) -> Node:
    """The tree of a query. Raises ValueError with the server's words when it is none."""
    return _api(url, "parse_query", query)


def formatted(url: str, query: str) -> str:
    """The query as Prometheus writes it. Raises ValueError when it is none."""
    return str(_api(url, "format_query", query))


def _api(url: str, path: str, query: str) -> Any:
    body = web.post(f"{url}/api/v1/{path}", 10, data={"query": query}).json()
    if body["status"] != "success":
        raise ValueError(f"{body['error']}: {query}")
    return body["data"]


def nodes(tree: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with the way to it, the root first."""
    yield path, tree
    for key in ("expr", "param", "lhs", "rhs"):
        if isinstance(tree.get(key), dict):
            yield from nodes(tree[key], (*path, key))
    for index, argument in enumerate(tree.get("args", [])):
        yield from nodes(argument, (*path, "args", index))


def put(tree: Any, path: Path, new: Node) -> Any:
    """The tree with another node at this place."""
    if not path:
        return new
    key, *rest = path
    if isinstance(tree, list):
        return [put(one, tuple(rest), new) if index == key else one for index, one in enumerate(tree)]
    return {**tree, key: put(tree[key], tuple(rest), new)}


def number(value: float) -> Node:
    return {"type": "numberLiteral", "val": f"{value:.12g}"}


def binary(lhs: Node, op: str, rhs: Node) -> Node:
    return {"type": "binaryExpr", "op": op, "lhs": closed(lhs), "rhs": closed(rhs), "bool": False, "matching": None}


def call(name: str, *arguments: Node) -> Node:
    return {"type": "call", "func": {"name": name}, "args": list(arguments)}


def closed(node: Node) -> Node:
    """The node in parentheses where an operator beside it would tear it apart."""
    return {"type": "parenExpr", "expr": node} if node["type"] in ("binaryExpr", "unaryExpr") else node


def bare(node: Node) -> Node:
    """The node without parentheses around it."""
    return bare(node["expr"]) if node["type"] == "parenExpr" else node


def text(node: Node) -> str:
    """The query a tree stands for. Raises KeyError on a type of node it does not know."""
    return _WRITERS[node["type"]](node)


def _aggregation(node: Node) -> str:
    word = "without" if node["without"] else "by"
    grouping = f" {word} ({_names(node['grouping'])})" if node["grouping"] or node["without"] else ""
    param = f"{text(node['param'])}, " if node["param"] else ""
    return f"{node['op']}{grouping} ({param}{text(node['expr'])})"


def _binary(node: Node) -> str:
    words = [text(node["lhs"]), node["op"], *(["bool"] if node["bool"] else []), *_matching(node["matching"]), text(node["rhs"])]
    return " ".join(words)


def _matching(matching: Node | None) -> Iterator[str]:
    if matching is None:
        return
    if any(value is not None for value in (matching.get("fillValues") or {}).values()):
        raise KeyError("fill values of a vector match")
    sides = {"many-to-one": "group_left", "one-to-many": "group_right"}
    if matching["on"] or matching["labels"] or matching["card"] in sides:
        yield f"{'on' if matching['on'] else 'ignoring'} ({_names(matching['labels'])})"
    if matching["card"] in sides:
        yield f"{sides[matching['card']]} ({_names(matching['include'])})"


def _selector(node: Node) -> str:
    matchers = [
        f"{_name(one['name'])}{one['type']}{_string(one['value'])}"
        for one in node["matchers"]
        if not (node["name"] and one["name"] == "__name__")
    ]
    window = f"[{duration(node['range'])}]" if node["type"] == "matrixSelector" else ""
    return node["name"] + (f"{{{', '.join(matchers)}}}" if matchers else "") + window + _modifiers(node)


def _subquery(node: Node) -> str:
    step = duration(node["step"]) if node["step"] else ""
    return f"{text(closed(node['expr']))}[{duration(node['range'])}:{step}]{_modifiers(node)}"


def _modifiers(node: Node) -> str:
    if node.get("anchored") or node.get("smoothed"):
        raise KeyError("an anchored or smoothed range")
    at = f" @ {node['timestamp'] / 1000:.3f}" if node["timestamp"] is not None else ""
    at = f" @ {node['startOrEnd']}()" if node["startOrEnd"] else at
    return at + (f" offset {duration(node['offset'])}" if node["offset"] else "")


def duration(milliseconds: int) -> str:
    """A duration as Prometheus writes it, like 1h30m."""
    sign, rest, out = ("-" if milliseconds < 0 else ""), abs(milliseconds), ""
    for unit, size in UNITS_MS:
        count, rest = divmod(rest, size)
        out += f"{count}{unit}" if count else ""
    return sign + (out or "0s")


def _names(names: list[str]) -> str:
    return ", ".join(map(_name, names))


def _name(name: str) -> str:
    return name if PLAIN.fullmatch(name) else _string(name)


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


_WRITERS = {
    "aggregation": _aggregation,
    "binaryExpr": _binary,
    "call": lambda node: f"{node['func']['name']}({', '.join(map(text, node['args']))})",
    "matrixSelector": _selector,
    "numberLiteral": lambda node: node["val"],
    "parenExpr": lambda node: f"({text(node['expr'])})",
    "stringLiteral": lambda node: _string(node["val"]),
    "subquery": _subquery,
    "unaryExpr": lambda node: node["op"] + text(node["expr"] if node["expr"].get("op") == "^" else closed(node["expr"])),
    "vectorSelector": _selector,
}
