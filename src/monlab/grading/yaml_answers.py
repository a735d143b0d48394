"""YAML that a stranger wrote: read by the safe loader, after a look at its size, depth, aliases and tags."""

from collections.abc import Iterator
from typing import Any

import yaml

from monlab.files import YAML_LOADER, from_yaml

MOST_CHARACTERS = 100_000
MOST_ALIASES = 20  # an alias of an alias of an alias is a small file that becomes a huge one
MOST_DEPTH = 40


class Unreadable(Exception):
    """The text is no YAML that is looked at. The message is a sentence for the learner."""


def read(text: str) -> Any:
    """The data in a text. Raises Unreadable."""
    try:
        _look(text)
        return from_yaml(text)
    except yaml.YAMLError as error:
        raise Unreadable(f"Your answer is no YAML that can be read: {_words(error)}") from None
    except (ValueError, TypeError) as error:  # a date of the 45th of June, a list as a key
        raise Unreadable(f"Your answer is no YAML that can be read: {error}.") from None


def strings(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in the data with the key it stands under."""
    stack = [("", data)]
    while stack:
        key, value = stack.pop()
        if isinstance(value, dict):
            stack += [(str(name), one) for name, one in value.items()]
        elif isinstance(value, list):
            stack += [(key, one) for one in value]
        elif isinstance(value, str):
            yield key, value


def _look(text: str) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, YAML_LOADER):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        tag = getattr(event, "tag", None)
        if tag and not tag.startswith(("tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")):
            raise Unreadable(
                f"Your answer has the YAML tag {tag.replace('tag:yaml.org,2002:', '!!')[:60]}. Tags are not read here; leave it out."
            )
        if aliases > MOST_ALIASES:
            raise Unreadable(f"Your answer has more than {MOST_ALIASES} YAML aliases (`*name`). Write it without them.")
        if depth > MOST_DEPTH:
            raise Unreadable(f"Your answer is nested more than {MOST_DEPTH} levels deep. It was not looked at.")


def _words(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{what}, line {mark.line + 1}, column {mark.column + 1}." if mark else f"{what}."
