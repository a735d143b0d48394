"""Strict access to parsed JSON: each value is of the type it must have, or a sentence says where it is not."""

from typing import Any

KINDS = {bool: "true or false", str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}


class Fields:
    """A JSON object at a path of a file. Wrong types are noted in `problems`, and the default is taken."""

    def __init__(self, value: dict[str, Any], path: str, problems: list[str]) -> None:
        self.value, self.path, self.problems = value, path, problems

    def has(self, key: str) -> bool:
        return self.value.get(key) is not None

    def text(self, key: str, default: str = "") -> str:
        return str(self._take(key, str, default))

    def flag(self, key: str, default: bool = False) -> bool:
        return bool(self._take(key, bool, default))

    def number(self, key: str, default: float = 0.0) -> float:
        try:
            return float(self._take(key, float, default))
        except OverflowError:  # a whole number may have any number of digits
            self.problems.append(f"{self.path}{key} is no usable number.")
            return default

    def whole(self, key: str, default: int = 0) -> int:
        value = self.number(key, default)
        if value != value or abs(value) > 1e9:
            self.problems.append(f"{self.path}{key} is no usable number.")
            return default
        return int(value)

    def maybe(self, key: str) -> float | None:
        return self.number(key) if self.has(key) else None

    def inside(self, key: str) -> "Fields":
        return Fields(self._take(key, dict, {}), f"{self.path}{key}.", self.problems)

    def items(self, key: str) -> list[Any]:
        return list(self._take(key, list, []))

    def each(self, key: str) -> list["Fields"]:
        found = []
        for index, one in enumerate(self.items(key)):
            where = f"{self.path}{key}[{index}]"
            if isinstance(one, dict):
                found.append(Fields(one, f"{where}.", self.problems))
            else:
                self.problems.append(f"{where} is {said(one)}; it must be an object.")
        return found

    def _take(self, key: str, kind: type, default: Any) -> Any:
        value = self.value.get(key)
        if value is None:
            return default
        right = isinstance(value, int | float) and not isinstance(value, bool) if kind is float else isinstance(value, kind)
        if right:
            return value
        self.problems.append(f"{self.path}{key} is {said(value)}; it must be {KINDS[kind]}.")
        return default


def said(value: Any) -> str:
    """`the text "12"`, `a list`: a value as a sentence names it."""
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"the number {value}" if isinstance(value, int | float) else KINDS.get(type(value), "something else")
