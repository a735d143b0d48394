"""endpoints.json: where the services of this clone answer, and who runs them. The stack writes it; all others read URLs here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from monlab.files import read_json, write_whole
from monlab.problem import Elsewhere, LabProblem, NotUp
from monlab.settings import Settings

FILE = "endpoints.json"
EXTERNAL = "external"  # the engine of a stack that somebody else runs


@dataclass(frozen=True)
class Endpoints:
    """What is up, as the last `up` or `down` left it."""

    engine: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)  # service -> URL without a trailing slash


def read(settings: Settings) -> Endpoints:
    """The file; empty when there is none. Raises LabProblem when it cannot be understood."""
    path = settings.state / FILE
    try:
        found = read_json(path)
        if found is None:
            return Endpoints()
        return Endpoints(str(found["engine"]), {str(name): str(url) for name, url in found["services"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LabProblem(
            f"{path} was cut short or edited, so nobody knows where the servers answer. `./lab up MODULE` (or the notebook's "
            "`stack.up(...)`) writes it anew."
        ) from None


def write(settings: Settings, engine: str, urls: Mapping[str, str]) -> None:
    """Replaces the file in one step."""
    write_whole(settings.state / FILE, json.dumps({"engine": engine, "services": dict(urls)}, indent=1))


def service_url(settings: Settings, name: str) -> str:
    """Where a service of the running lab answers. Raises NotUp when it is not up."""
    urls = read(settings).urls
    if name not in urls:
        up = f"Up now: {', '.join(urls)}." if urls else "Nothing is up now."
        raise NotUp(f"{name} is not up. {up} Run the cell with `stack.up(...)` at the top of the notebook, or `./lab up MODULE`.")
    return urls[name]


def must_be_ours(settings: Settings, what: str) -> None:
    """Raises Elsewhere when somebody else runs the stack. `what` says what cannot be done then: `Pushing metrics`."""
    if read(settings).engine == EXTERNAL:
        raise elsewhere(what)


def elsewhere(what: str) -> Elsewhere:
    """The sentence for what is not done to somebody else's servers: `what` is `Pushing metrics` or `Reloading x`."""
    return Elsewhere(
        f"{what} is left out: somebody else runs these servers (LAB_ENDPOINTS). Read on; the text tells what happens."
    )
