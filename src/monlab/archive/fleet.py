"""Which instance of which service runs when, in which version: what deploys and out-of-memory kills make of the month."""

from dataclasses import dataclass

import numpy as np

from monlab.archive import month
from monlab.archive.month import INSTANCES, MINUTES

LEAK_START_BYTES = 96 << 20


@dataclass(frozen=True)
class Instance:
    """One process after another under one name. Times in minutes of the month."""

    service: str
    name: str
    starts: tuple[int, ...]  # a process runs from here, and is scraped from the next minute on
    versions: tuple[str, ...]  # one for each start
    ends: tuple[int, ...]  # when each was last scraped; MINUTES: it outlives the month
    crashes: frozenset[int]  # those of `ends` at which it was killed for its memory

    def runs(self) -> np.ndarray:
        """For each minute: does it take the customers that come in the minute that begins there."""
        found = np.zeros(MINUTES, bool)
        for start, end in zip(self.starts, self.ends, strict=True):
            found[max(start, 0) : end] = True
        return found

    def process(self) -> np.ndarray:
        """For each sample, the number of the process that answers the scrape; -1 where none does."""
        found = np.full(MINUTES, -1, np.int64)
        for number, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            found[max(start + 1, 0) : end + 1] = number
        return found


def instances(service: str) -> list[Instance]:
    return [_instance(service, number) for number in range(len(INSTANCES[service]))]


def _instance(service: str, number: int) -> Instance:
    name = INSTANCES[service][number]
    if number == 2:  # comes for the sale, goes afterwards
        first, last = month.THIRD_FRONTEND
        return Instance(service, name, (first,), (_version_at(service, first),), (last,), frozenset())
    starts, versions, ends, crashes = [-1 - 1440], [month.FIRST_VERSION], [], []
    for deploy in month.DEPLOYS:
        if deploy.service != service:
            continue
        down = deploy.minute + 5 * number
        while (killed := _killed(service, versions[-1], starts[-1])) < down:
            ends.append(killed)
            crashes.append(killed)
            starts.append(killed + 1)
            versions.append(versions[-1])
        ends.append(down)
        starts.append(down + 1)
        versions.append(deploy.version)
    ends.append(MINUTES)
    return Instance(service, name, tuple(starts), tuple(versions), tuple(ends), frozenset(crashes))


def _killed(service: str, version: str, start: int) -> int:
    """The minute at which a process that leaks reaches its limit; one that does not leak never does."""
    if (service, version) != ("gateway", "1.4.1"):
        return MINUTES
    return start + (month.MEMORY_LIMIT_BYTES - LEAK_START_BYTES) // month.LEAK_BYTES_A_MINUTE


def _version_at(service: str, minute: int) -> str:
    """What the first instance runs at that minute."""
    past = [deploy.version for deploy in month.DEPLOYS if deploy.service == service and deploy.minute < minute]
    return past[-1] if past else month.FIRST_VERSION


@dataclass(frozen=True)
class Fleet:
    """All instances, and a table by which customers are shared among those that run."""

    services: dict[str, list[Instance]]
    order: dict[str, np.ndarray]  # service -> [MINUTES, instances]: numbers of those that run, first ones first
    count: dict[str, np.ndarray]  # service -> [MINUTES]: how many run
    versions: dict[str, list[list[str]]]  # service -> instance -> minute: what it runs

    def pick(self, service: str, minutes: np.ndarray, dice: np.ndarray) -> np.ndarray:
        """The instance that serves each request; `dice` are random bits."""
        count = self.count[service][minutes]
        place = ((dice & np.uint64(0xFFFF)).astype(np.int64) * count) >> 16
        return self.order[service][minutes, place]

    def runs_version(self, service: str, version: str) -> np.ndarray:
        """[instances, MINUTES]: where that version runs."""
        return np.array(self.versions[service]) == version


def _versions(one: Instance) -> list[str]:
    found = np.full(MINUTES, one.versions[0], "U8")
    for start, version in zip(one.starts, one.versions, strict=True):
        found[max(start, 0) :] = version
    return [str(version) for version in found]


def fleet() -> Fleet:
    services = {service: instances(service) for service in INSTANCES}
    order, count = {}, {}
    for service, all_of_it in services.items():
        runs = np.stack([one.runs() for one in all_of_it], axis=1)
        order[service] = np.argsort(~runs, axis=1, kind="stable")
        count[service] = runs.sum(axis=1)
        assert count[service].min() > 0, f"nobody serves {service} at some minute"
    return Fleet(services, order, count, {service: [_versions(one) for one in services[service]] for service in services})
