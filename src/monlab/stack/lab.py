"""up, down, status and the rest: what a person asks of the stack, whatever engine runs it."""

import re
import time
from dataclasses import replace
from urllib.parse import urlsplit

import requests

from monlab import endpoints
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings, settings
from monlab.stack import compose, ports, preflight, servers
from monlab.stack.display import Link, Screen, StackView
from monlab.stack.engine import State
from monlab.stack.native import NativeEngine
from monlab.stack.state import Memory
from monlab.workbook import workspace

LOG_LINES = 400
LOG_SECONDS = 2  # a service's words reach its log file a moment after its answer
READY_SECONDS = 60  # longest wait for a service's own start
POLL_SECONDS = 0.05


def up(*modules: str) -> StackView:
    """Starts what these modules need beside what runs already, waits until all of it answers, and returns the table.

    Raises LabProblem with the log's tail when a service does not come up.
    """
    config = settings()
    description = _description(config)
    for module in modules:
        description.check_module(module)
    memory = Memory(config)
    with memory.changing(), Screen() as screen:
        workspace.sync(config)
        wanted = memory.modules | set(modules)
        services = description.for_modules(wanted & set(description.modules))
        engine, line = _engine(config, description, services)
        missing = [s.server for s in services if servers.present(s.server, config) is None]
        preflight.check(services, missing, config)
        memory.modules = wanted  # from here on `down` knows what to end, even if this is interrupted
        try:
            ports.keep(engine.block, config.state)
            before = engine.running()
            engine.start(services, screen.say)
            _wait(engine, services, screen, line)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "Stopped while services were starting. Run the same again and it goes on from here; `./lab down` ends what already runs."
            ) from None
        endpoints.write(config, {service.name: engine.url(service) for service in services})
        for service in services:
            if service.reload and service.name in before:
                reload(service.name)  # its files may have changed since it started
        screen.clear()
        ready = tuple(_seen_ready(state, engine) for state in engine.states())
        return StackView(engine.name, ready, f"{_modules_line(memory)}. {line}".rstrip(), _linker(config))


def down(*modules: str) -> str:
    """Ends what only these modules use; without a module, everything of this clone. Returns a sentence about it."""
    config = settings()
    description = _description(config)
    for module in modules:
        description.check_module(module)
    memory = Memory(config)
    with memory.changing():
        staying = memory.modules - set(modules) if modules else set()
        keep = {service.name for service in description.for_modules(staying)}
        engine, _line = _engine(config, description, ())
        ended = engine.running() - keep
        engine.stop(ended if keep else None)
        memory.modules = staying
        endpoints.write(config, {name: url for name, url in endpoints.read(config).items() if name in keep})
    words = f"Ended {', '.join(sorted(ended))}." if ended else "Nothing was running."
    return words + (f" Still up: {', '.join(sorted(staying))}." if staying else "")


def status() -> StackView:
    """The services that were started and not stopped, as they are now."""
    config = settings()
    engine, _line = _engine(config, _description(config), ())
    memory = Memory(config)
    known = {state.name: _seen_ready(state, engine) for state in engine.states()}
    lost = [
        State(
            name,
            "stopped",
            engine.description.services[name].version,
            url,
            detail="was up and is gone; `./lab up` brings it back",
        )
        for name, url in endpoints.read(config).items()
        if name not in known and name in engine.description.services
    ]
    return StackView(engine.name, (*known.values(), *lost), _modules_line(memory), _linker(config))


def logs(service: str, lines: int = 50) -> str:
    """The last lines a service printed."""
    return _engine_for(service).log_tail(service, lines) or f"{service} has printed nothing yet in this clone."


def kill(service: str, signal: int = 9) -> str:
    """Sends a signal to a service, SIGKILL by default, to see what happens then."""
    _engine_for(service).kill(service, signal)
    return f"{service} was sent signal {signal}."


def restart(service: str) -> StackView:
    """Stops and starts one service with its present configuration, and waits until it answers."""
    engine = _engine_for(service)
    described = engine.description.services[service]
    engine.render(described)
    engine.restart(service)
    with Screen() as screen:
        _wait(engine, (described,), screen, "")
    return status()


def reload(service: str) -> str:
    """Makes a service read its configuration again. Raises LabProblem with the service's own words when it refuses."""
    engine = _engine_for(service)
    described = engine.description.services[service]
    if not described.reload:
        raise LabProblem(f"{service} cannot read its configuration again while it runs. Use `stack.restart({service!r})`.")
    if service not in engine.running():
        raise LabProblem(f"{service} does not run. `stack.up(...)` at the top of the notebook starts it.")
    engine.render(described)
    logged = engine.log_tail(service, LOG_LINES).splitlines()
    try:
        answer = requests.post(engine.url(described) + described.reload, timeout=10)
    except requests.RequestException as error:
        raise LabProblem(f"{service} does not answer: {error}. `stack.status()` shows what runs.") from error
    if answer.status_code != 200:
        deadline = time.monotonic() + LOG_SECONDS
        while not (errors := _errors(engine, service, logged)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        said = _short_paths("\n".join([answer.text.strip(), *errors]), service, engine.settings)
        raise LabProblem(f"{service} refused the new configuration, or a part of it, and said: {said}")
    return f"{service} has read its configuration."


def _errors(engine: NativeEngine, service: str, logged: list[str]) -> list[str]:
    """The `err="..."` texts, without repetition, of a service's log lines that are not among `logged`."""
    fresh = [line for line in engine.log_tail(service, LOG_LINES).splitlines() if line not in logged]
    found = [
        match[1].encode("latin-1", "backslashreplace").decode("unicode_escape")
        for line in fresh
        if (match := re.search(r'err="((?:[^"\\]|\\.)*)"', line))
    ]
    return list(dict.fromkeys(found))


def _short_paths(text: str, service: str, config: Settings) -> str:
    return text.replace(f"{config.state}/rendered/{service}/", "").replace(f"{config.workspace}/", "")


def url(service: str) -> str:
    """Where the notebook reaches a service of the running lab."""
    return endpoints.service_url(settings(), service)


def _description(config: Settings) -> compose.Description:
    return compose.load(config.compose_file, config.versions_file)


def _engine(
    config: Settings, description: compose.Description, services: tuple[compose.Service, ...]
) -> tuple[NativeEngine, str]:
    """The engine, on this clone's ports, and a line that says why these."""
    if config.engine not in (None, "native"):
        raise LabProblem(f"LAB_ENGINE is {config.engine!r}; this lab knows: native.")
    engine = NativeEngine(config, description, ports.kept_block(description.ports, config.state))
    if not services:
        return engine, ""
    engine.recover()
    block, line = ports.choose(services, engine.running(), description.ports, config.state)
    return NativeEngine(config, description, block), line


def _engine_for(service: str) -> NativeEngine:
    config = settings()
    description = _description(config)
    if service not in description.services:
        raise LabProblem(
            f"There is no service {service!r}.{nearest(service, description.services)} Services: {', '.join(description.services)}."
        )
    return _engine(config, description, ())[0]


def _wait(engine: NativeEngine, services: tuple[compose.Service, ...], screen: Screen, line: str) -> None:
    """Polls every ready URL; raises LabProblem for the first service that ends, or that takes too long."""
    pending = {service.name: service for service in services}
    ended_before = {name: len(engine.exits(name)) for name in pending}
    deadline = time.monotonic() + READY_SECONDS
    while pending:
        for service in list(pending.values()):
            if _answers(engine.url(service) + service.ready):
                del pending[service.name]
            elif len(engine.exits(service.name)) > ended_before[service.name]:
                _give_up(engine, service, "ended while it started")
        if pending and time.monotonic() > deadline:
            service = next(iter(pending.values()))
            _give_up(engine, service, f"did not answer at {service.ready} within {READY_SECONDS} s")
        screen.show(StackView(engine.name, tuple(engine.states()), line or f"Waiting for {', '.join(pending)}", lambda s: s.url))
        time.sleep(POLL_SECONDS if pending else 0)


def _seen_ready(state: State, engine: NativeEngine) -> State:
    """A service that has only just started counts as running once it answers."""
    if state.state == "starting" and _answers(state.url + engine.description.services[state.name].ready):
        return replace(state, state="running")
    return state


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=1).status_code == 200
    except requests.RequestException:
        return False


def _give_up(engine: NativeEngine, service: compose.Service, what: str) -> None:
    tail = engine.log_tail(service.name, 15) or "(it printed nothing)"
    engine.stop({service.name})
    others = sorted(engine.running())
    rest = f"{', '.join(others)} still run; `./lab down` ends them. " if others else ""
    raise LabProblem(f"{service.name} {what}. {rest}Mend what its log says, then run `up` again. Its last lines:\n{tail}")


def _modules_line(memory: Memory) -> str:
    return f"Up: {', '.join(sorted(memory.modules))}" if memory.modules else "Nothing is up"


def _linker(config: Settings) -> Link:
    """Addresses for a person: through jupyter-server-proxy where JupyterLab runs on another machine."""
    if config.proxy_prefix is None:
        return lambda state: state.url
    return lambda state: f"{config.proxy_prefix}proxy/{urlsplit(state.url).port}/"
