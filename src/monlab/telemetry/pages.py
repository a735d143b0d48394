"""The raw text a server shows, before any database has seen it."""

from monlab import web
from monlab.endpoints import service_url
from monlab.problem import LabProblem
from monlab.settings import settings


class Page(str):
    """A text that a notebook shows line by line."""

    def __repr__(self) -> str:
        return str(self)


def page(service: str, grep: str = "", lines: int = 12, path: str = "/metrics", **parameters: str) -> Page:
    """The first `lines` lines of a service's page that contain `grep`."""
    try:
        answer = web.get(service_url(settings(), service) + path, 10, params=parameters)
    except web.FAULTS as error:
        raise LabProblem(f"{service} does not answer at {path}. `stack.status()` shows what runs.") from error
    found = [line for line in answer.text.splitlines() if grep in line]
    more = f"\n… {len(found) - lines} more lines" if len(found) > lines else ""
    return Page("\n".join(found[:lines]) + more)
