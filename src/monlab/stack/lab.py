"""up, down, status and the rest: what a person asks of the stack, whatever engine runs it."""

import re
import socket
import time
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from monlab import endpoints, web
from monlab.endpoints import EXTERNAL
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings, settings
from monlab.stack import clock, compose, engines, helpers, jupyter, month, ports, scraping
from monlab.stack.display import Link, Screen, StackView
from monlab.stack.engine import Engine, State
from monlab.stack.state import Memory, Up
from monlab.waiting import poll
from monlab.workbook import workspace
from monlab.workbook.modules import modules as modules_of

LOG_LINES = 400
LOG_SECONDS = 2  # a service's words reach its log file a moment after its answer
READY_SECONDS = 60  # longest wait for a service's own start
GUEST_SECONDS = 45  # and for one that the lab can do without: Grafana makes its database at the first start
POLL_SECONDS = 0.02
HELD_SECONDS = 0.25  # a connection that is kept so long has a server behind it


def up(*modules: str) -> StackView:
    """Starts what these modules need beside what runs already, waits until all of it answers, and returns the table.

    Raises LabProblem with the log's tail when a service does not come up.
    """
    config = settings()
    description = engines.describe(config)
    check_modules(modules, config)
    memory = Memory(config)
    with memory.changing(), Screen() as screen:
        wanted = memory.read().modules | set(modules)
        chosen = engines.choose(config, description, description.for_modules(wanted & set(description.modules)), screen.say)
        engine, services = chosen.engine, chosen.services
        ours = engine.name != EXTERNAL
        _leave_other(config, memory, engine)
        with engine.starting():
            news = workspace.sync(config)
            if ours:  # before ports are chosen: another lab could take them meanwhile
                month.obtain([service.month for service in services], config, screen.say)
            line = _sentences(chosen.why, engine.prepare(services))
            up_now = Up(engine.name, wanted, engine.place)
            if ours:  # from here on `down` knows what to end, even if this is interrupted; elsewhere there is nothing to end
                memory.write(up_now)
                scraping.follow(config, services)
            before = engine.running()
            offered = ours and scraping.offer(config, services)
            lost = _start(engine, services, before if offered else set(), screen, line)
        services = tuple(service for service in services if service.name not in lost)
        urls = {service.name: engine.url(service) for service in services}
        memory.write(up_now)
        endpoints.write(config, engine.name, urls)
        forgotten = ours and bool(lost) and scraping.follow(config, services)
        for service in services:
            if service.reads_again and (service.name in before or forgotten) and ours:
                reload(service.name)  # its files may have changed since it started
        screen.clear()
        line = _sentences(_modules_line(wanted), line, *news, *lost.values(), *clock.complaints(services, urls))
        return StackView(engine.name, _seen(engine), line, _linker(engine))


def _start(engine: Engine, services: tuple[compose.Service, ...], again: set[str], screen: Screen, line: str) -> dict[str, str]:
    """Starts services and waits for them. Returns guest -> why it is not there."""
    try:
        lost = engine.start(services, screen.say)
        _start_again(engine, again)
        return lost | _wait(engine, tuple(service for service in services if service.name not in lost), screen, line)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Stopped while services were starting. Run the same again and it goes on from here; `./lab down` ends what already runs."
        ) from None


def check_modules(names: Iterable[str], config: Settings) -> None:
    """Raises LabProblem for a name that no service belongs to: a module that is only planned, or needs no server, says so."""
    description = engines.describe(config)
    course = {found.id: found for found in modules_of(config)}
    for name in names:
        if name in course and name not in description.modules:
            found = course[name]
            why = "needs no server; `./lab` opens its page" if found.ready else "is planned; it has no lesson and no servers yet"
            raise LabProblem(f"Module {name} ({found.title}) {why}.")
        description.check_module(name)


def _leave_other(config: Settings, memory: Memory, engine: Engine) -> None:
    """Ends what another engine still holds of this clone, such as stopped containers: one engine at a time."""
    before = memory.read().engine
    if before not in ("", EXTERNAL, engine.name):
        engines.KNOWN[before](config, engine.description).stop(None)


def engine_for(*names: str) -> str:
    """The engine on which `up` would run these modules. Images it needs are pulled on the way."""
    config = settings()
    description = engines.describe(config)
    wanted = (Memory(config).read().modules | set(names)) & set(description.modules)
    with Screen() as screen:
        return engines.choose(config, description, description.for_modules(wanted), screen.say).engine.name


def down(*modules: str) -> str:
    """Ends what only these modules use; without a module, everything of this clone. Returns a sentence about it."""
    config = settings()
    description = engines.describe(config)
    check_modules(modules, config)
    memory = Memory(config)
    with memory.changing():
        if not modules:
            return _down_all(config, memory)
        known = memory.read()
        staying = known.modules - set(modules)
        keep = {service.name for service in description.for_modules(staying)}
        left = {name: url for name, url in endpoints.read(config).urls.items() if name in keep}
        engine = engines.current(config)
        ended = engine.running() - keep
        if not any(description.services[name].tools for name in keep):
            helpers.end(config)  # nobody is left to send load to
        engine.stop(ended if keep else None)
        if engine.name != EXTERNAL:
            _scrape_only(config, engine, set(left))
        memory.write(Up(known.engine, staying, known.place) if staying else Up())
        endpoints.write(config, engine.name if staying else "", left)
    return _ended(ended, engine.name) + (f" Still up: {', '.join(sorted(staying))}." if staying else "")


def keep_scraping() -> None:
    """Puts the scrape files of what is up back into a workspace that was made anew."""
    config = settings()
    known = engines.describe(config).services
    up_now = [known[name] for name in endpoints.read(config).urls if name in known]
    scraping.follow(config, up_now)
    scraping.offer(config, up_now)


def _scrape_only(config: Settings, engine: Engine, names: set[str]) -> None:
    """Has Prometheus and Grafana, if they stay, forget the services that do not."""
    services = [engine.description.services[name] for name in names]
    if scraping.follow(config, services) and "prometheus" in names & engine.running():
        reload("prometheus")
    if scraping.offer(config, services):
        _start_again(engine, names & engine.running())


def _start_again(engine: Engine, running: set[str]) -> None:
    """Starts those services again that read their configuration at their start only."""
    for name in running:
        if engine.description.services[name].reload == compose.RESTART:
            engine.restart(name)


def _down_all(config: Settings, memory: Memory) -> str:
    """Ends everything of this clone, also when the lab's own files about it cannot be read."""
    ports.forget(config.state)
    helpers.end(config)
    try:
        known = memory.read()
    except LabProblem:
        known = Up()  # the file is damaged: whatever engine is here may hold something
    words = []
    try:
        for engine in [engines.current(config)] if known.engine else engines.all_here(config):
            ended = engine.running()
            engine.stop(None)
            if ended:
                words.append(_ended(ended, engine.name))
    except LabProblem as problem:
        gone = " If that Docker is gone for good, `./lab reset` forgets what ran there." if known.engine == "docker" else ""
        raise LabProblem(f"{problem}{gone}") from problem
    memory.write(Up())
    endpoints.write(config, "", {})
    scraping.follow(config, [])
    scraping.offer(config, [])
    return " ".join(words) or "Nothing was running."


def _ended(names: set[str], engine: str) -> str:
    if engine == EXTERNAL:
        return "Nothing was ended: somebody else runs these servers. This clone no longer uses them."
    return f"Ended {', '.join(sorted(names))}." if names else "Nothing was running."


def status() -> StackView:
    """The services that were started and not stopped, as they are now."""
    config = settings()
    engine = engines.current(config)
    known = {state.name: state for state in _seen(engine, memory=True)}
    lost = [
        State(
            name,
            "stopped",
            engine.description.services[name].version,
            web.shown(url),
            detail="was up and is gone; `./lab up` brings it back",
        )
        for name, url in endpoints.read(config).urls.items()
        if name not in known and name in engine.description.services
    ]
    return StackView(engine.name, (*known.values(), *lost), _modules_line(Memory(config).read().modules), _linker(engine))


def logs(service: str, lines: int = 50) -> str:
    """The last lines a service printed. Raises LabProblem when fewer than one is asked for."""
    if lines < 1:
        raise LabProblem(f"{lines} lines were asked for. Ask for 1 or more.")
    return _engine_for(service).log_tail(service, lines) or f"{service} has printed nothing yet in this clone."


def kill(service: str, signal: int = 9) -> str:
    """Sends a signal to a service, SIGKILL by default, to see what happens then."""
    _engine_for(service).kill(service, signal)
    return f"{service} was sent signal {signal}."


def pause(service: str) -> str:
    """Freezes a service: connections to it hang, nothing answers. `unpause` lets it go on."""
    _engine_for(service).pause(service)
    return f"{service} is frozen. `stack.unpause({service!r})` lets it go on."


def unpause(service: str) -> str:
    """Lets a frozen service go on."""
    _engine_for(service).unpause(service)
    return f"{service} goes on."


def disconnect(service: str) -> str:
    """Cuts a service off from the network of the others (Docker only). `connect` gives it back."""
    _engine_for(service).disconnect(service)
    return f"{service} is cut off from the network. `stack.connect({service!r})` gives it back."


def connect(service: str) -> str:
    """Gives a service its network back."""
    _engine_for(service).connect(service)
    return f"{service} is on the network again."


def own(service: str) -> None:
    """Ends a notebook's cell with a sentence, and without an error, where somebody else runs this service.

    For cells that look at what an earlier cell changed.
    """
    endpoints.must_be_ours(settings(), f"What this cell shows of {service}")


def has(service: str) -> bool:
    """Whether the running lab has a service: guests such as cadvisor need Docker."""
    return service in endpoints.read(settings()).urls


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
    if not described.reads_again:
        raise LabProblem(f"{service} cannot read its configuration again while it runs. Use `stack.restart({service!r})`.")
    if service not in engine.running():
        raise LabProblem(f"{service} does not run. `stack.up(...)` at the top of the notebook starts it.")
    engine.render(described)
    logged = engine.log_tail(service, LOG_LINES).splitlines()
    try:
        answer = web.post(engine.url(described) + described.reload, 10)
    except web.FAULTS as error:
        raise LabProblem(f"{service} does not answer: {error}. `stack.status()` shows what runs.") from error
    if answer.status_code != 200:
        errors = poll(lambda: _errors(engine, service, logged), LOG_SECONDS)
        said = _short_paths("\n".join([answer.text.strip(), *errors]), service, engine.settings)
        raise LabProblem(f"{service} refused the new configuration, or a part of it, and said: {said}")
    return f"{service} has read its configuration."


def _errors(engine: Engine, service: str, logged: list[str]) -> list[str]:
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


def _engine_for(service: str) -> Engine:
    engine = engines.current(settings())
    known = engine.description.services
    if service not in known:
        raise LabProblem(f"There is no service {service!r}.{nearest(service, known)} Services: {', '.join(known)}.")
    return engine


def _wait(engine: Engine, services: tuple[compose.Service, ...], screen: Screen, line: str) -> dict[str, str]:
    """Polls every ready URL; raises LabProblem for the first service that ends, or that takes too long.

    Guests that do not come up are ended instead: service -> why.
    """
    pending = {service.name: service for service in services}
    lost: dict[str, str] = {}
    link = _linker(engine)
    ended_before = {name: len(engine.exits(name)) for name in pending}
    start = time.monotonic()
    while pending:
        for service in list(pending.values()):
            seconds = GUEST_SECONDS if service.guest else READY_SECONDS
            if _answers(engine.url(service), service):
                del pending[service.name]
                continue
            if len(engine.exits(service.name)) > ended_before[service.name]:
                why = "ended while it started"
            elif time.monotonic() - start > seconds:
                why = f"did not answer at {service.ready} within {seconds} s"
            else:
                continue
            if not service.guest:
                _give_up(engine, service, why)
            said = engine.log_tail(service.name, 1) or "nothing"
            engine.stop({service.name})
            lost[service.name] = f"{service.left_out}, which {why}; its last words: {said}"
            del pending[service.name]
        screen.show(lambda: StackView(engine.name, tuple(engine.states()), line or f"Waiting for {', '.join(pending)}", link))
        time.sleep(POLL_SECONDS if pending else 0)
    return lost


def _seen(engine: Engine, memory: bool = False) -> tuple[State, ...]:
    """The states; a service that has only just started counts as running once it answers."""
    services = engine.description.services
    return tuple(
        replace(state, state="running") if state.state == "starting" and _answers(state.url, services[state.name]) else state
        for state in engine.states(memory)
    )


def _answers(url: str, service: compose.Service) -> bool:
    try:
        if not service.speaks_http:
            return _keeps_connections(url)
        return web.get(url + service.ready, 1).status_code == 200
    except (OSError, *web.FAULTS):
        return False


def _keeps_connections(url: str) -> bool:
    """Whether a server takes connections and waits for what we say. Docker takes one before the server does, and drops it at once."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), 1) as connection:
        connection.settimeout(HELD_SECONDS)
        try:
            return connection.recv(1) != b""
        except TimeoutError:
            return True


def _give_up(engine: Engine, service: compose.Service, what: str) -> None:
    tail = engine.log_tail(service.name, 15) or "(it printed nothing)"
    engine.stop({service.name})
    others = sorted(engine.running())
    rest = f"{', '.join(others)} still run; `./lab down` ends them. " if others else ""
    raise LabProblem(f"{service.name} {what}. {rest}Mend what its log says, then run `up` again. Its last lines:\n{tail}")


def _sentences(*texts: str) -> str:
    return " ".join(f"{text.rstrip('. ')}." for text in texts if text)


def _modules_line(modules: frozenset[str] | set[str]) -> str:
    return f"Up: {', '.join(sorted(modules))}" if modules else "Nothing is up"


def _linker(engine: Engine) -> Link:
    """Pages for a person: through jupyter-server-proxy where the browser is on another machine than the servers."""
    prefix = jupyter.proxy_prefix(engine.settings)

    def link(state: State) -> str:
        address = urlsplit(state.url)
        page = engine.description.services[state.name].ui
        if not prefix or not web.is_loopback(state.url) or address.scheme != "http":
            return state.url + (page.rstrip("/") if address.scheme != "tcp" else "")
        return f"{prefix}proxy/{address.port or 80}{address.path.rstrip('/')}{page}"

    return link
