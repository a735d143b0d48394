"""Up and down again and again, with something killed at random in between: nothing may be left behind, nothing go unexplained."""

import os
import random
import signal
import socket
import subprocess
from contextlib import suppress

import docker
import pytest


@pytest.mark.parametrize("engine", ["native", "docker"])
def test_ups_and_downs_with_random_kills_leave_nothing_behind(engine, request, pytestconfig):
    clone = request.getfixturevalue("clone" if engine == "native" else "docker_clone")
    chance = random.Random(pytestconfig.option.soak_seed)
    clone.lab("up", "m02")
    clone.lab("down")
    files, numbers = kept_files(clone), ports(clone)
    faults = [kill_a_server, kill_several_servers, kill_up, interrupt_up, kill_down, kill_down_and_a_server, nothing]
    faults += [kill_the_supervisor] if engine == "native" else [remove_a_container]
    for cycle in range(pytestconfig.option.soak):
        fault = chance.choice(faults)
        told = f"cycle {cycle}: {fault.__name__}"
        for said in fault(clone, chance):
            assert "Traceback" not in said and "lab: " in said, f"{told}\n{said}"
        explained(clone, told, "down")
        assert not clone.leftovers(), told
        assert not [port for port in numbers if listens(port)], told
        assert kept_files(clone) <= files, told
    explained(clone, "at the end", "up", "m02")
    assert {service["state"] for service in clone.status().values()} == {"running"}


def explained(clone, told: str, *words: str) -> None:
    """Runs a command until it holds: a failure must be a sentence, and once said, the next try must do."""
    said = clone.lab(*words, code=None)
    assert "Traceback" not in said, f"{told}\n{said}"
    if "lab: " in said:
        clone.lab(*words)


def kept_files(clone) -> set[str]:
    """Files of the state folder, without what servers store and say."""
    free = ("data", "logs")
    return {
        path.relative_to(clone.state).as_posix()
        for path in clone.state.rglob("*")
        if path.is_file() and path.relative_to(clone.state).parts[0] not in free
    }


def ports(clone) -> list[int]:
    text = clone.python(
        "from monlab.settings import settings; from monlab.stack import engines, ports\n"
        "c = settings(); print(*ports.kept_block(engines.describe(c).ports, c.state).numbers.values())"
    )
    return [int(word) for word in text.split()]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(clone, *words: str) -> list[str]:
    """What a command said if it failed."""
    said = clone.lab(*words, code=None)
    return [said] if "lab: " in said or "Traceback" in said else []


def server_pids(clone) -> list[int]:
    return [service["pid"] for service in clone.status().values() if service["pid"]]


def nothing(clone, chance: random.Random) -> list[str]:
    return run(clone, "up", "m02")


def kill_a_server(clone, chance: random.Random) -> list[str]:
    said = run(clone, "up", "m02")
    kill(chance.choice(server_pids(clone)))
    return [*said, *(run(clone, "up", "m02") if chance.random() < 0.5 else [])]


def kill_several_servers(clone, chance: random.Random) -> list[str]:
    said = run(clone, "up", "m02")
    for pid in chance.sample(server_pids(clone), 3):
        kill(pid)
    return said


def kill_the_supervisor(clone, chance: random.Random) -> list[str]:
    said = run(clone, "up", "m02")
    clone.supervisor().kill()
    return [*said, *(run(clone, "up", "m02") if chance.random() < 0.5 else [])]


def remove_a_container(clone, chance: random.Random) -> list[str]:
    said = run(clone, "up", "m02")
    docker.from_env().containers.get(chance.choice(list(clone.status().values()))["container"]).remove(force=True)
    return [*said, *(run(clone, "up", "m02") if chance.random() < 0.5 else [])]


def kill_up(clone, chance: random.Random) -> list[str]:
    return ended_early(clone, chance, signal.SIGKILL, "up", "m02")


def interrupt_up(clone, chance: random.Random) -> list[str]:
    return ended_early(clone, chance, signal.SIGINT, "up", "m02")


def kill_down(clone, chance: random.Random) -> list[str]:
    return [*run(clone, "up", "m02"), *ended_early(clone, chance, signal.SIGKILL, "down")]


def kill_down_and_a_server(clone, chance: random.Random) -> list[str]:
    said = run(clone, "up", "m02")
    kill(chance.choice(server_pids(clone)))
    return [*said, *ended_early(clone, chance, signal.SIGKILL, "down")]


def ended_early(clone, chance: random.Random, how: signal.Signals, *words: str) -> list[str]:
    """Runs a command and ends it after a random share of the second or two it takes."""
    process = clone.begin(*words)
    with suppress(subprocess.TimeoutExpired):
        process.wait(chance.uniform(0.2, 2.0))
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    assert "Traceback" not in said, said
    return []


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(pid, signal.SIGKILL)
