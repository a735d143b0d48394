"""Clocks that disagree: a server that is ahead or behind, and samples from a future that never came."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from monlab import web
from monlab.stack.compose import Service

TOLERATED_SECONDS = 30
ANSWER_SECONDS = 2


def complaints(services: tuple[Service, ...], urls: Mapping[str, str]) -> list[str]:
    """One sentence for each thing about time that a person should know; none when all clocks agree."""
    found = {}
    for service in (service for service in services if service.speaks_http):
        try:
            answer = web.get(urls[service.name] + service.ready, ANSWER_SECONDS)
            ahead = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
        except (*web.FAULTS, KeyError, ValueError):
            continue  # no answer or no date: nothing is known about its clock
        if abs(ahead) > TOLERATED_SECONDS:
            found[service.name] = ahead
    said = []
    if found:
        ahead = max(found.values(), key=abs)
        said.append(
            f'The clock of {", ".join(found)} is {_minutes(ahead)} this machine\'s: "now" is another instant there. '
            "Set both clocks right (`timedatectl set-ntp true`)."
        )
    return said + [
        line for service in services if service.server == "prometheus" for line in _future(service, urls[service.name])
    ]


def _future(service: Service, url: str) -> list[str]:
    """A Prometheus that holds samples newer than its clock takes none that are older: nothing new is stored until then."""
    try:
        page = web.get(f"{url}/metrics", ANSWER_SECONDS)
        now = parsedate_to_datetime(page.headers["Date"]).timestamp()
    except (*web.FAULTS, KeyError, ValueError):
        return []
    ahead = [
        float(newest) - now for newest in re.findall(r"^prometheus_tsdb_head_(?:min|max)_time_seconds (\S+)", page.text, re.M)
    ]
    ahead = [seconds for seconds in ahead if TOLERATED_SECONDS < seconds < 1e9]  # an empty head says the largest number there is
    if not ahead:
        return []
    return [
        f"{service.name} holds samples from {max(ahead) / 60:.0f} minutes in the future: the clock was set back. Until then it stores "
        "nothing new. `./lab reset` deletes what it has stored (your workspace stays), then `./lab up` starts afresh."
    ]


def _minutes(seconds: float) -> str:
    return f"{abs(seconds) / 60:.0f} minutes {'ahead of' if seconds > 0 else 'behind'}"
