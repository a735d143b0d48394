"""Faults on switches: in a service through its own switch, between two services through Toxiproxy. Each ends by itself."""

import math
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import pandas as pd

from monlab import endpoints, web
from monlab.files import write_whole
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings, settings
from monlab.shop.mending import mend
from monlab.stack import helpers, secrets

SERVICES = ("frontend", "gateway", "payments", "inventory")
LINKS = (
    "frontend-gateway",
    "gateway-payments",
    "gateway-inventory",
    "inventory-payments",
    "inventory-postgres",
    "inventory-valkey",
)
NETWORK = ("slow", "cut", "hang")
LASTING_SECONDS = 60
ANSWER_SECONDS = 10


class FaultSwitch:
    """`fault("payments.slow", seconds=2, share=0.3)` switches one on, `fault.clear()` ends all, `fault.active()` lists them."""

    def __call__(self, name: str, lasting: float = LASTING_SECONDS, **values: Any) -> str:
        """Breaks something for `lasting` seconds. Returns a sentence; raises LabProblem for what cannot be switched.

        `name` is SERVICE.FAULT, such as payments.slow; or network.slow (seconds=0.5), network.cut and network.hang, with the
        link between two services: link="gateway-payments".
        """
        config = settings()
        endpoints.must_be_ours(config, "Breaking the shop")
        for key, value in {"name": name, "lasting": lasting, **values}.items():
            if not isinstance(value, int | float | str):
                raise LabProblem(f"{key} is {value!r}. A fault takes numbers and names; leave out what shall be as usual.")
            if isinstance(value, float) and not math.isfinite(value):
                raise LabProblem(f"{key} must be a finite number.")
        if isinstance(lasting, bool) or not isinstance(lasting, int | float) or not 1 <= lasting <= 3600:
            raise LabProblem("lasting is a number of seconds from 1 to 3600.")
        place, _dot, what = str(name).partition(".")
        if place == "network":
            _network(config, what, lasting, **values)
        elif place in SERVICES:
            _service(config, "POST", place, {"name": what, "lasting": lasting, **values})
        else:
            raise LabProblem(
                f"{name!r} names no place. A fault is SERVICE.FAULT, with a service of {', '.join(SERVICES)}, or network.FAULT."
                f"{nearest(place, (*SERVICES, 'network'))}"
            )
        shown = ", ".join(f"{key}={value!r}" for key, value in values.items())
        ends = "" if what == "crash" else f" It ends by itself in {lasting:g} s; `shop.fault.clear()` ends it now."
        return f"{name} is on{f' ({shown})' if shown else ''}.{ends}"

    def active(self) -> pd.DataFrame:
        """The faults that are on: place, name, and what they were given."""
        config = settings()
        endpoints.must_be_ours(config, "Asking for faults")
        found = [{"place": one, **fault} for one in SERVICES for fault in _service(config, "GET", one)]
        toxics = [(proxy["name"], toxic) for proxy in _proxies(config).values() for toxic in proxy["toxics"]]
        found += [{"place": "network", "name": toxic["name"], "link": link} for link, toxic in toxics]
        cut = [proxy["name"] for proxy in _proxies(config).values() if not proxy["enabled"]]
        found += [{"place": "network", "name": "cut", "link": link} for link in cut]
        return pd.DataFrame(found)

    def clear(self) -> str:
        """Ends every fault."""
        config = settings()
        endpoints.must_be_ours(config, "Mending the shop")
        shutil.rmtree(_notes(config), ignore_errors=True)
        _toxiproxy(config, "POST", "/reset")  # first: a service behind a link that hangs cannot hear us
        deaf = []
        for place in SERVICES:
            try:
                _service(config, "DELETE", place)
            except LabProblem as problem:
                deaf.append(str(problem))
        if deaf:
            raise LabProblem(f"Not all faults could be ended: {' '.join(deaf)}")
        return "No fault is on."


fault = FaultSwitch()


def _service(config: Settings, method: str, name: str, body: Any = None) -> list[dict[str, Any]]:
    """Asks a service's switch. Raises LabProblem with the service's own sentence when it refuses."""
    token = secrets.value(config, "lab_token")
    url = endpoints.service_url(config, name)
    try:
        answer = web.session(url).request(
            method, f"{url}/lab/faults", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_SECONDS
        )
        said = answer.json()
    except (ValueError, *web.FAULTS) as error:
        raise LabProblem(f"{name} does not answer: {error}. `stack.status()` shows what runs.") from error
    if answer.status_code != 200:
        raise LabProblem(f"{name}: {said['error']['message']}")
    return list(said)


def _network(config: Settings, what: str, lasting: float, link: str = "", **values: Any) -> None:
    if what not in NETWORK:
        raise LabProblem(f"There is no network fault {what!r}.{nearest(what, NETWORK)} Known: {', '.join(NETWORK)}.")
    if link not in LINKS:
        raise LabProblem(f"network.{what} needs link=, one of {', '.join(LINKS)}.{nearest(link, LINKS)}")
    seconds = values.pop("seconds", 1.0) if what == "slow" else 0
    if values:
        raise LabProblem(f"network.{what} does not take {', '.join(values)}.")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 60:
        raise LabProblem("seconds is a number from 0 to 60.")
    _toxiproxy(config, "GET", f"/proxies/{link}")  # a sentence when it does not answer
    mend(f"{endpoints.service_url(config, 'toxiproxy')}/proxies/{link}")
    _mend_later(config, link, lasting)  # before it is on: stopped in between, it must not stay on for ever
    if what == "cut":
        _toxiproxy(config, "POST", f"/proxies/{link}", {"enabled": False})
    else:
        kind = {"slow": ("latency", {"latency": int(seconds * 1000)}), "hang": ("timeout", {"timeout": 0})}[what]
        toxic = {"name": what, "type": kind[0], "stream": "downstream", "attributes": kind[1]}
        _toxiproxy(config, "POST", f"/proxies/{link}/toxics", toxic)


def _mend_later(config: Settings, link: str, lasting: float) -> None:
    """Toxiproxy knows no time, and the notebook's kernel may end before the fault does: a process of its own ends it.

    A note says which fault is on; a later one of the same link has another note and another process.
    """
    note = _notes(config) / link
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, str(uuid.uuid4()))
    proxies = f"{endpoints.service_url(config, 'toxiproxy')}/proxies"
    helpers.start(config, [sys.executable, "-m", "monlab.shop.mending", str(note), f"{lasting:g}", proxies])


def _notes(config: Settings) -> Path:
    return config.state / "network-faults"


def _proxies(config: Settings) -> dict[str, Any]:
    found: dict[str, Any] = _toxiproxy(config, "GET", "/proxies")
    return found


def _toxiproxy(config: Settings, method: str, path: str, body: Any = None) -> Any:
    url = endpoints.service_url(config, "toxiproxy")
    try:
        answer = web.session(url).request(method, url + path, json=body, timeout=ANSWER_SECONDS)
    except web.FAULTS as error:
        raise LabProblem(f"toxiproxy does not answer: {error}. `stack.status()` shows what runs.") from error
    if answer.status_code >= 400:
        raise LabProblem(f"toxiproxy refused: {answer.text.strip()}")
    return answer.json() if answer.content else None
