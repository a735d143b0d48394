"""Reads grafana_keys.yaml and holds a provisioning file, or an environment, against it."""

import re
from pathlib import Path

import yaml

KNOWN = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
FILES = {key: (kind, part["page"]) for part in KNOWN["files"] for key, kind in part["keys"].items()}
ENVIRONMENT = {key: (kind, part["page"]) for part in KNOWN["environment"] for key, kind in part["keys"].items()}


def is_text(value):
    return isinstance(value, str) and value != ""


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


KINDS = {
    "text": is_text,
    "int": is_int,
    "bool": lambda value: isinstance(value, bool),
    "number": lambda value: is_text(value) and value.isdigit(),
    "path": lambda value: is_text(value) and value.startswith("/"),
    "url": lambda value: is_text(value) and re.fullmatch(r"http://\$\{[A-Z_]+\}", value),
    "duration": lambda value: is_text(value) and re.fullmatch(r"-?\d+(ms|s|m|h|d|w)", value),
    "list": lambda value: isinstance(value, list) and value,
    "map": lambda value: isinstance(value, dict) and value,
    "texts": lambda value: isinstance(value, list) and all(map(is_text, value)),
    "numbers": lambda value: isinstance(value, list) and all(is_int(one) or isinstance(one, float) for one in value),
    "words": lambda value: isinstance(value, dict) and all(is_text(one) for pair in value.items() for one in pair),
}


def mistakes(value, path, sources):
    """A sentence for each key that is not documented, missing or of the wrong kind. `sources` is data source uid -> type."""
    if isinstance(value, list):
        return [sentence for one in value for sentence in mistakes(one, path, sources)]
    if not isinstance(value, dict):
        return []
    found = [f"{path} lacks {key}" for key in required(path) if key not in value]
    for key, one in value.items():
        place = f"{path}.{key}"
        kind, page = FILES.get(place) or FILES.get(f"{place}?") or (None, None)
        if kind is None:
            found.append(f"{place} stands on no page that is known")
        elif not fits(one, kind):
            found.append(f"{place} is {one!r}, which is not {kind}; see {page}")
        elif kind in ("list", "map"):
            found += mistakes(one, place + variant(key, value, sources), sources)
    return found


def required(path):
    """The keys directly below a path that must be there."""
    below = [key.removeprefix(f"{path}.") for key in FILES if key.startswith(f"{path}.")]
    return [key for key in below if "." not in key and not key.endswith("?")]


def variant(key, around, sources):
    """Which settings, jsonData or model it is: those of `around`'s type."""
    if key in ("jsonData", "settings"):
        return f"({around.get('type')})"
    if key == "model":
        uid = around.get("datasourceUid")
        return f"({uid if uid == '__expr__' else sources.get(uid, uid)})"
    return ""


def fits(value, kind):
    return value in kind if isinstance(kind, list) else bool(KINDS[kind](value))


def wrong_environment(environment):
    """A sentence for each variable GF_... that is not documented, or whose value is not of its kind."""
    found = []
    for name, value in environment.items():
        kind, page = ENVIRONMENT.get(name, (None, None))
        if name.startswith("GF_") and kind is None:
            found.append(f"{name} stands on no page that is known")
        elif kind is not None and not fits(value, kind):
            found.append(f"{name} is {value!r}, which is not {kind}; see {page}")
    return found
