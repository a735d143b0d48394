"""Which port each service gets: the standard ones if all are free, else a free block of 100, kept for this clone."""

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from monlab.files import read_json, write_whole
from monlab.problem import LabProblem
from monlab.stack.compose import Port, Service

STANDARD = 0  # in place of a block's first port: the standard ports
BLOCKS = range(20000, 32000, 100)  # below Linux's range for outgoing connections (32768 and up)


@dataclass(frozen=True)
class Block:
    """A choice of ports for the whole compose file."""

    base: int  # its first port, or STANDARD
    numbers: Mapping[str, int]  # variable of a port -> its number on this machine

    def of(self, port: Port) -> int:
        return self.numbers[port.variable]


def block_at(base: int, ports: Iterable[Port]) -> Block:
    """The block that starts at `base`, or the standard ports."""
    numbered = enumerate(ports)
    return Block(base, {p.variable: p.standard if base == STANDARD else base + i for i, p in numbered})


def is_free(number: int) -> bool:
    """True when a server could listen on 127.0.0.1:`number` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT can be listened on
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def holder(number: int) -> str:
    """Who listens on a port, as words: `nginx (pid 4242)`."""
    try:
        listeners = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr[1:] == (number,)]
        for pid in (c.pid for c in listeners if c.pid):
            return f"{psutil.Process(pid).name()} (pid {pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        pass
    return "a process of another user"


def taken(services: Iterable[Service], block: Block) -> dict[int, str]:
    """Ports of `services` that someone listens on now, with who it is."""
    numbers = [block.of(port) for service in services for port in service.ports]
    return {number: holder(number) for number in numbers if not is_free(number)}


def kept_base(state: Path) -> int | None:
    """The base of the block this clone used last, None when it never had one. Raises LabProblem for a damaged file."""
    path = state / "ports.json"
    try:
        found = read_json(path)
        if found is None:
            return None
        base = found["base"]
        if isinstance(base, bool) or (base != STANDARD and base not in BLOCKS):
            raise ValueError(base)
    except (ValueError, KeyError, TypeError):
        raise LabProblem(
            f"{path} was cut short or edited, so the lab does not know which ports its servers use. `./lab down` ends everything "
            "of this clone; then start again."
        ) from None
    return int(base)


def forget(state: Path) -> None:
    """Drops a record that cannot be read; one that can is kept, so that addresses stay the same."""
    try:
        kept_base(state)
    except LabProblem:
        (state / "ports.json").unlink()


def _base_of_another(state: Path) -> int | None:
    try:
        return kept_base(state)
    except LabProblem:
        return None  # that clone will say so itself


def kept_block(ports: Iterable[Port], state: Path) -> Block:
    """The block this clone used last; the standard ports when it never had one."""
    return block_at(kept_base(state) or STANDARD, ports)


def first_base(asked: str | None) -> int:
    """The base at which the search for a free block begins, from what LAB_PORTS says. Raises LabProblem if no block begins there."""
    if asked is None:
        return STANDARD
    if not asked.isdecimal() or int(asked) not in BLOCKS:
        raise LabProblem(
            f"LAB_PORTS is {asked!r}, which is not the first port of a block. Use a multiple of {BLOCKS.step} from {BLOCKS.start} "
            f"to {BLOCKS[-1]}, or unset it to use the standard ports."
        )
    return int(asked)


def choose(
    services: tuple[Service, ...], running: set[str], ports: tuple[Port, ...], state: Path, first: int = STANDARD
) -> tuple[Block, str]:
    """The block for this clone and, when it is not the standard one, a line that says why.

    `services` are those about to run, `running` the names that already do: a clone with something running keeps its block,
    and a port that is taken there is a LabProblem. One with nothing running keeps it while all of it is free: another module may
    be wanted next. `ports` are all ports of the compose file. `first` is where the search begins: the standard ports, or the base of a
    block, below which this clone then takes none.
    """
    starting = [service for service in services if service.name not in running]
    kept = kept_base(state)
    if kept is not None:
        block = block_at(kept, ports)
        conflicts = taken(starting, block)
        if not conflicts and (running or (kept >= first and all(is_free(number) for number in block.numbers.values()))):
            return block, "" if kept == STANDARD else f"This clone keeps its ports from {kept} on."
        if running:
            raise LabProblem(
                f"{_words(conflicts)}, and this lab needs that port beside what it already runs. "
                "End that program, or run `./lab down` and `./lab up` again: all services then move together."
            )
    why = "LAB_PORTS is set"
    if first == STANDARD:
        standard = block_at(STANDARD, ports)
        conflicts = {number: holder(number) for number in standard.numbers.values() if not is_free(number)}
        if not conflicts:
            return standard, ""
        why = _words(conflicts)
    others = {_base_of_another(folder) for folder in state.parent.glob("*") if folder != state}
    for base in (base for base in BLOCKS if base >= first):
        block = block_at(base, ports)
        if base not in others and all(is_free(number) for number in block.numbers.values()):
            return block, f"{why}: this lab uses ports from {base} on instead."
    raise LabProblem(
        f"No free block of ports between {max(first, BLOCKS.start)} and {BLOCKS.stop}: end some of the programs that listen there."
    )


def keep(block: Block, state: Path) -> None:
    """Remembers the block for this clone."""
    write_whole(state / "ports.json", json.dumps({"base": block.base}))


def _words(conflicts: Mapping[int, str]) -> str:
    return "; ".join(f"port {number} is taken by {who}" for number, who in conflicts.items()).capitalize()
