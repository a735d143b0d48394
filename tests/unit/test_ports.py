"""Choosing ports, with real listeners in the way."""

import json
import os
import socket
from contextlib import contextmanager

import pytest

from monlab.problem import LabProblem
from monlab.stack import ports
from monlab.stack.compose import ENGINES, Port, Service


def service(name: str, *numbers: int) -> Service:
    return Service(
        name=name,
        image="",
        built=False,
        version="",
        profiles=("m02",),
        command=(),
        mounts=(),
        depends_on=(),
        environment={},
        server="",
        binary="",
        ready="/",
        ui="/",
        reload="",
        render={},
        engines=ENGINES,
        build_info="",
        secrets=(),
        stop_signal="SIGTERM",
        unprivileged=False,
        scrape=False,
        tools=(),
        ports=tuple(Port(f"{name.upper()}_{number}", number, number) for number in numbers),
    )


@contextmanager
def listening(address: str = "127.0.0.1"):
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "clones" / "mine"
    folder.mkdir(parents=True)
    return folder


def free_port() -> int:
    with listening() as number:
        return number


def test_standard_ports_are_taken_when_all_are_free(state):
    one = service("one", free_port(), free_port())
    block, line = ports.choose((one,), set(), one.ports, state)
    assert [block.of(port) for port in one.ports] == [port.standard for port in one.ports] and line == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_moves_all_services_to_a_block_and_names_the_holder(state, address):
    with listening(address) as taken:
        services = (service("one", taken), service("two", free_port()))
        every = tuple(port for one in services for port in one.ports)
        block, line = ports.choose(services, set(), every, state)
    assert block.base in ports.BLOCKS and block.of(every[1]) == block.base + 1
    assert f"Port {taken} is taken by" in line and f"(pid {os.getpid()})" in line and str(block.base) in line


def test_a_port_of_a_service_that_is_not_asked_for_counts_too(state):
    with listening() as taken:
        wanted, other = service("one", free_port()), service("two", taken)
        block, _line = ports.choose((wanted,), set(), (*wanted.ports, *other.ports), state)
    assert block.base in ports.BLOCKS


def test_internal_listeners_count(state):
    with listening() as taken:
        one = service("one", free_port(), taken)
        block, _line = ports.choose((one,), set(), one.ports, state)
    assert block.base in ports.BLOCKS


def test_the_block_is_kept_for_this_clone_and_not_given_to_another(state):
    with listening() as taken:
        one = service("one", taken)
        first, _line = ports.choose((one,), set(), one.ports, state)
        ports.keep(first, state)
        other = state.parent / "other"
        other.mkdir()
        second, _line = ports.choose((one,), set(), one.ports, other)
    assert second.base != first.base
    again, line = ports.choose((one,), set(), one.ports, state)
    assert again.base == first.base and str(first.base) in line


def test_a_clone_with_something_running_does_not_move_but_says_who_is_in_the_way(state):
    one, two = service("one", free_port()), service("two", free_port())
    ports.keep(ports.block_at(ports.STANDARD, (*one.ports, *two.ports)), state)
    with (
        socket.create_server(("127.0.0.1", two.ports[0].standard)),
        pytest.raises(
            LabProblem, match=rf"port {two.ports[0].standard} is taken by .*pid {os.getpid()}".replace("port", "[Pp]ort", 1)
        ),
    ):
        ports.choose((one, two), {"one"}, (*one.ports, *two.ports), state)


def test_a_clone_with_nothing_running_moves_before_what_it_may_want_next_is_in_the_way(state):
    wanted, later = service("one", free_port()), service("two", free_port())
    every = (*wanted.ports, *later.ports)
    ports.keep(ports.block_at(ports.STANDARD, every), state)
    with socket.create_server(("127.0.0.1", later.ports[0].standard)):
        block, _line = ports.choose((wanted,), set(), every, state)
        assert block.base in ports.BLOCKS
        assert ports.choose((wanted,), {"two"}, every, state)[0].base == ports.STANDARD, "one with something running stays"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"base": "x"}', '{"base": 17}', '{"base": false}', pytest.param("[" * 100_000, id="nested"), "{"]
)
def test_a_damaged_memory_of_the_block_is_a_sentence_until_it_is_forgotten(state, text):
    (state / "ports.json").write_text(text)
    with pytest.raises(LabProblem, match="cut short or edited"):
        ports.kept_base(state)
    ports.forget(state)
    assert ports.kept_base(state) is None


def test_what_is_kept_is_read_back(state):
    ports.keep(ports.block_at(20500, ()), state)
    assert json.loads((state / "ports.json").read_text()) == {"base": 20500} and ports.kept_base(state) == 20500


def test_a_search_that_begins_at_a_block_takes_neither_the_standard_ports_nor_a_block_below(state):
    one = service("one", free_port())
    block, line = ports.choose((one,), set(), one.ports, state, 25000)
    assert block.base >= 25000
    assert line == f"LAB_PORTS is set: this lab uses ports from {block.base} on instead."
    ports.keep(ports.block_at(20000, one.ports), state)
    assert ports.choose((one,), set(), one.ports, state, 25000)[0].base >= 25000


@pytest.mark.parametrize("asked", ["9090", "20050", "32000", "many", "-20000", "2e4"])
def test_a_search_that_can_begin_nowhere_is_named(asked):
    with pytest.raises(LabProblem, match=r"LAB_PORTS is .* a multiple of 100 from 20000 to 31900"):
        ports.first_base(asked)


def test_a_search_begins_at_the_standard_ports_unless_told_otherwise():
    assert ports.first_base(None) == ports.STANDARD
    assert ports.first_base("20100") == 20100
