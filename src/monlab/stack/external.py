"""The external engine: somebody else runs the servers, this clone knows their URLs and changes nothing."""

import re
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import yaml

from monlab import endpoints, web
from monlab.endpoints import EXTERNAL
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings
from monlab.stack.compose import Description, Service
from monlab.stack.engine import State
from monlab.stack.native import WithoutContainers
from monlab.stack.servers import Progress

if TYPE_CHECKING:
    import requests

ANSWER_SECONDS = 5


class ExternalEngine(WithoutContainers):
    """Services at the URLs of a file: `prometheus: http://10.0.0.5:9090`, one line a service, or an endpoints.json."""

    name = EXTERNAL

    def __init__(self, settings: Settings, description: Description) -> None:
        self.settings = settings
        self.description = description

    def urls(self) -> dict[str, str]:
        """What the file of LAB_ENDPOINTS says; without the variable, what the last `up` found. Raises LabProblem."""
        path = self.settings.endpoints_file
        if path is None:
            return dict(endpoints.read(self.settings).urls)
        try:
            found = yaml.safe_load(path.read_text("utf-8"))
        except OSError as error:
            raise LabProblem(f"LAB_ENDPOINTS names {path}, which cannot be read: {error.strerror}.") from error
        except (yaml.YAMLError, ValueError) as error:  # yaml also reads dates, impossible ones among them
            raise LabProblem(f"{path} is no YAML or JSON: {error}") from error
        if isinstance(found, dict) and isinstance(found.get("services"), dict):
            found = found["services"]
        if not isinstance(found, dict) or not found:
            raise LabProblem(f"{path} should hold one line a service, such as `prometheus: http://10.0.0.5:9090`.")
        for name, url in found.items():
            if name not in self.description.services:
                raise LabProblem(f"{path} names {name!r}, which is no service.{nearest(str(name), self.description.services)}")
            if not re.fullmatch(r"(https?|tcp)://[^\s/]+(/\S*)?", str(url)):
                raise LabProblem(f"{path}: {web.shown(repr(url))} is no URL of {name}. It should look like http://10.0.0.5:9090.")
        return {name: str(url).rstrip("/") for name, url in found.items()}

    def url(self, service: Service) -> str:
        urls = self.urls()
        if service.name not in urls:
            raise LabProblem(f"{self.settings.endpoints_file} does not say where {service.name} is. Ask who runs these servers.")
        return urls[service.name]

    def starting(self) -> AbstractContextManager[None]:
        return nullcontext()

    def prepare(self, services: tuple[Service, ...]) -> str:
        return ""

    def start(self, services: tuple[Service, ...], progress: Progress) -> dict[str, str]:
        """Nothing is started: raises LabProblem when one of the services does not answer, or is something else."""
        asked = [service for service in services if service.speaks_http]  # only the other servers talk to the rest
        addresses = [self.url(service) for service in asked]  # an address that is missing is told before anybody is waited for
        for service, address in zip(asked, addresses, strict=True):
            progress(f"asking {service.name} at {web.shown(address)}")
            self._version(service)
        return {}

    def _version(self, service: Service) -> str:
        """The version a service reports, empty when it reports none. Raises LabProblem when it is not that service."""
        url = self.url(service)
        ready = _get(service.name, url + service.ready)
        if ready.status_code != 200:
            raise LabProblem(
                f"{service.name} at {web.shown(url)} answers {ready.status_code} at {service.ready}: {_first_words(ready)}{_ASK}"
            )
        if not service.build_info:
            return ""
        page = _get(service.name, f"{url}/metrics")
        line = re.search(rf"^{service.build_info}\{{(.*)\}} ", page.text, re.MULTILINE)
        if page.status_code != 200 or not line:
            raise LabProblem(
                f"Something answers at {web.shown(url)}, and it is not {service.name}: its /metrics has no {service.build_info}. "
                f"It says: {_first_words(page)}{_ASK}"
            )
        version = re.search(r'(?:^|,)version="([^"]*)"', line[1])
        return version[1] if version else ""

    def stop(self, names: set[str] | None) -> None:
        return

    def running(self) -> set[str]:
        try:
            known = endpoints.read(self.settings)
        except LabProblem:
            return set()  # nothing of ours runs in any case, and `up` writes the file anew
        return set(known.urls) if known.engine == EXTERNAL else set()

    def states(self, memory: bool = False) -> list[State]:
        known = self.description.services
        return [self.state(known[name]) for name in self.urls() if name in self.running() and name in known]

    def state(self, service: Service) -> State:
        if not service.speaks_http:
            return State(service.name, "running", "", web.shown(self.url(service)), detail="not asked: it speaks no HTTP")
        try:
            found = self._version(service)
        except LabProblem as problem:
            return State(service.name, "failed", "", web.shown(self.url(service)), detail=str(problem))
        detail = f"the course is written for {service.version}" if found not in ("", service.version) else ""
        return State(service.name, "running", found, web.shown(self.url(service)), detail=detail)

    def exits(self, name: str) -> list[str]:
        return []

    def log_tail(self, name: str, lines: int) -> str:
        return f"{name} runs elsewhere, and so do its logs."

    def _not_ours(self, name: str, *_more: object) -> None:
        raise endpoints.elsewhere(f"Changing {name}")

    kill = pause = unpause = disconnect = connect = restart = _not_ours

    def render(self, service: Service) -> None:
        self._not_ours(service.name)


_ASK = ". Ask who runs it, or unset LAB_ENDPOINTS to run servers of your own."


def _get(name: str, address: str) -> "requests.Response":
    try:
        return web.get(address, ANSWER_SECONDS)
    except web.FAULTS as error:
        raise LabProblem(f"{name} does not answer at {web.shown(address)}: {_reason(error)}{_ASK}") from error


def _reason(error: Exception) -> str:
    text = str(error)
    for words in ("Connection refused", "Name or service not known", "timed out", "No route to host", "certificate"):
        if words in text:
            return words.lower()
    return type(error).__name__


def _first_words(answer: "requests.Response") -> str:
    text = re.sub(r"<[^>]*>", " ", answer.text[:2000])
    return repr(" ".join(text.split())[:80])
