"""endpoints.json: where the services of this clone answer. The stack writes it; everything else learns URLs from it."""

import json
from collections.abc import Mapping

from monlab.problem import LabProblem
from monlab.settings import Settings

FILE = "endpoints.json"


def read(settings: Settings) -> dict[str, str]:
    """Service -> URL without a trailing slash, for the services that are up; empty when the file is missing or cut short."""
    try:
        return dict(json.loads((settings.state / FILE).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def write(settings: Settings, urls: Mapping[str, str]) -> None:
    """Replaces the file in one step."""
    fresh = settings.state / f"{FILE}.new"
    fresh.write_text(json.dumps(dict(urls), indent=1), "utf-8")
    fresh.replace(settings.state / FILE)


def service_url(settings: Settings, name: str) -> str:
    """Where a service of the running lab answers. Raises LabProblem when it is not up."""
    urls = read(settings)
    if name not in urls:
        up = f"Up now: {', '.join(urls)}." if urls else "Nothing is up now."
        raise LabProblem(
            f"{name} is not up. {up} Run the cell with `stack.up(...)` at the top of the notebook, or `./lab up MODULE`."
        )
    return urls[name]
