"""compose.yaml + versions.env -> services. Reads and validates; starts nothing."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from monlab.files import from_yaml
from monlab.problem import LabProblem, nearest

# The keys of a service in the Compose specification that this file may use.
SERVICE_KEYS = frozenset(
    [
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "cpus",
        "depends_on",
        "devices",
        "entrypoint",
        "environment",
        "extra_hosts",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "logging",
        "mem_limit",
        "network_mode",
        "networks",
        "pid",
        "ports",
        "privileged",
        "profiles",
        "pull_policy",
        "read_only",
        "restart",
        "secrets",
        "security_opt",
        "shm_size",
        "stop_grace_period",
        "stop_signal",
        "tmpfs",
        "ulimits",
        "user",
        "userns_mode",
        "volumes",
        "working_dir",
    ]
)
TOP_KEYS = frozenset(["name", "services", "volumes", "networks", "secrets", "configs"])
LAB_KEYS = frozenset(
    [
        "server",
        "binary",
        "ready",
        "ui",
        "reload",
        "render",
        "internal",
        "engines",
        "build_info",
        "unprivileged",
        "tools",
        "scrape",
        "month",
        "optional",
        "datasource",
    ]
)
TCP = "tcp"
RESTART = "restart"
ENGINES = ("docker", "native", "external")
MONTH = ("metrics", "logs", "traces")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")
PORT = re.compile(r"^127\.0\.0\.1:\$\{(?P<variable>\w+):-(?P<standard>\d+)\}:(?P<container>\d+)$")


@dataclass(frozen=True)
class Port:
    """A listener of a service."""

    variable: str  # the environment variable that moves it, such as PROMETHEUS_PORT
    standard: int  # its port on this machine when nothing is in the way
    container: int  # its port inside the container, which configuration files name


@dataclass(frozen=True)
class Mount:
    source: str  # a host path as written, or a volume's name
    target: str  # path inside the container
    volume: bool  # a named volume rather than a host path


@dataclass(frozen=True)
class Service:
    name: str
    image: str
    built: bool  # the image is built here, from a Dockerfile, rather than pulled
    version: str
    profiles: tuple[str, ...]  # the modules that use it
    command: tuple[str, ...]
    mounts: tuple[Mount, ...]
    ports: tuple[Port, ...]  # published ones first, then internal listeners
    depends_on: tuple[str, ...]
    environment: Mapping[str, str]
    server: str
    binary: str
    ready: str  # path on the first port that answers 200 when ready; TCP: it takes connections and speaks no HTTP
    ui: str
    reload: str  # path to POST to after a change of configuration; RESTART: it reads at its start only; empty: it has none
    render: Mapping[str, str]  # container path of a configuration file -> kind of translation
    engines: tuple[str, ...]  # where it can run; one that cannot run everywhere is a guest
    build_info: str  # metric at /metrics that proves what answers and tells its version; empty when it has none
    secrets: tuple[str, ...]  # files that stand under /run/secrets
    stop_signal: str  # what ends it: SIGTERM unless the file says otherwise
    unprivileged: bool  # refuses to run as root
    scrape: bool  # Prometheus scrapes it while it is up, by stack/scrape/<service>.yml
    tools: tuple[str, ...]  # programs that `fetch` gets with it and `up` does without
    month: str = ""  # the part of the archived month that its volume is filled with before it starts; empty: none
    optional: str = ""  # what the lab does instead where this cannot be had; empty: the lab needs it
    datasource: bool = False  # Grafana asks it while it is up, by stack/grafana/datasources/<service>.yml

    @property
    def speaks_http(self) -> bool:
        return self.ready != TCP

    @property
    def reads_again(self) -> bool:
        """Whether it reads its configuration again while it runs, when it is asked to."""
        return self.reload not in ("", RESTART)

    @property
    def volume(self) -> Mount:
        """The volume of a service that has exactly one."""
        return next(mount for mount in self.mounts if mount.volume)

    @property
    def guest(self) -> bool:
        """Whether the lab can do without it."""
        return bool(self.optional) or set(self.engines) != set(ENGINES)

    @property
    def left_out(self) -> str:
        """How a sentence begins that says it is not there: `Without x (and what the lab does instead)`."""
        return f"Without {self.name}" + (f" ({self.optional})" if self.optional else "")


@dataclass(frozen=True)
class Description:
    """The whole compose file."""

    services: Mapping[str, Service]

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(sorted({module for service in self.services.values() for module in service.profiles}))

    @property
    def ports(self) -> tuple[Port, ...]:
        return tuple(port for service in self.services.values() for port in service.ports)

    def check_module(self, module: str) -> None:
        """Raises LabProblem, with the nearest name, when no service belongs to `module`."""
        if module not in self.modules:
            raise LabProblem(
                f"There is no module {module!r}.{nearest(module, self.modules)} Modules with servers: {', '.join(self.modules)}."
            )

    def for_modules(self, modules: Set[str]) -> tuple[Service, ...]:
        """The services of these modules and what they depend on, in file order."""
        wanted: set[str] = set()
        queue = [s.name for s in self.services.values() if modules & frozenset(s.profiles)]
        while queue:
            name = queue.pop()
            if name not in wanted:
                wanted.add(name)
                queue.extend(self.services[name].depends_on)
        return tuple(s for s in self.services.values() if s.name in wanted)


def read_versions(path: Path) -> dict[str, str]:
    """`KEY=VALUE` lines of versions.env; comments and blank lines are skipped."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def load(compose: Path, versions: Path, image_prefix: str = "") -> Description:
    """The services of `compose`. Raises LabProblem naming file, place and mistake when it does not hold together."""
    return _load(compose, compose.stat().st_mtime_ns, versions, versions.stat().st_mtime_ns, image_prefix)


@lru_cache(maxsize=8)
def _load(compose: Path, changed: int, versions: Path, versions_changed: int, image_prefix: str) -> Description:
    """The services, read again when one of the files has changed: one command asks for them several times."""
    known = {"LAB_IMAGE_PREFIX": image_prefix, **read_versions(versions)}
    try:
        document = from_yaml(compose.read_text("utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "not valid YAML"
        raise LabProblem(
            f"{compose}{where}: {what}. Mend that line, or `git checkout {compose}` brings the original back."
        ) from error

    reader = _Reader(compose, known)
    return reader.description(document)


class _Reader:
    """Turns the parsed document into records; every complaint names the file and the service."""

    def __init__(self, path: Path, versions: Mapping[str, str]) -> None:
        self.path = path
        self.versions = versions

    def fail(self, sentence: str) -> LabProblem:
        return LabProblem(f"{self.path}: {sentence}")

    def known_keys(self, where: str, keys: Mapping[str, Any], allowed: frozenset[str]) -> None:
        for key in keys:
            if key not in allowed and not str(key).startswith("x-"):
                raise self.fail(f"{where} has an unknown key {key!r}.{nearest(str(key), allowed)}")

    def value(self, where: str, text: str) -> str:
        """`text` with ${NAME} and ${NAME:-default} filled in from versions.env and the defaults."""

        def fill(match: re.Match[str]) -> str:
            name = match["name"]
            if name in self.versions:
                return self.versions[name]
            if match["default"] is None:
                raise self.fail(f"{where} uses ${{{name}}}, which versions.env does not set.{nearest(name, self.versions)}")
            return match["default"]

        return VARIABLE.sub(fill, text)

    def description(self, document: Any) -> Description:
        if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
            raise self.fail("a Compose file needs a `services:` map at its top.")
        self.known_keys("the file", document, TOP_KEYS)
        volumes = set(document.get("volumes") or {})
        secrets = set(document.get("secrets") or {})
        services = {name: self.service(name, body, volumes) for name, body in document["services"].items()}
        taken: dict[int, str] = {}
        for service in services.values():
            for other in service.depends_on:
                if other not in services:
                    raise self.fail(f"service {service.name} depends on {other!r}, which is not there.{nearest(other, services)}")
            for secret in service.secrets:
                if secret not in secrets:
                    raise self.fail(
                        f"service {service.name} uses secret {secret!r}, which `secrets:` does not name.{nearest(secret, secrets)}"
                    )
            for port in service.ports:
                if port.standard in taken:
                    raise self.fail(f"port {port.standard} is published by both {taken[port.standard]} and {service.name}.")
                taken[port.standard] = service.name
        return Description(services)

    def service(self, name: str, body: Any, volumes: set[str]) -> Service:
        where = f"service {name}"
        if not isinstance(body, dict):
            raise self.fail(f"{where} is not a map of keys.")
        self.known_keys(where, body, SERVICE_KEYS)
        lab = body.get("x-lab") or {}
        self.known_keys(f"{where}, x-lab,", lab, LAB_KEYS)
        for key, owner in (
            ("image", body),
            ("profiles", body),
            ("ports", body),
            ("ready", lab),
            *((key, lab) for key in ("server", "binary") if "native" in (lab.get("engines") or ENGINES)),
        ):
            if not owner.get(key):
                raise self.fail(f"{where} lacks {key!r}.")
        image = self.value(where, str(body["image"]))
        engines = tuple(lab.get("engines") or ENGINES)
        for engine in engines:
            if engine not in ENGINES:
                raise self.fail(f"{where}: there is no engine {engine!r}.{nearest(engine, ENGINES)}")
        ports = [self.port(where, text) for text in body["ports"]]
        ports += [Port(variable, number, number) for variable, number in (lab.get("internal") or {}).items()]
        environment = body.get("environment") or {}
        mounts = tuple(self.mount(where, text, volumes) for text in body.get("volumes") or ())
        return Service(
            name=name,
            image=image,
            built=bool(body.get("build")),
            version=image.rpartition(":")[2].removeprefix("v"),
            profiles=tuple(body["profiles"]),
            command=tuple(self.value(where, str(word)) for word in body.get("command") or ()),
            mounts=mounts,
            ports=tuple(ports),
            depends_on=tuple(body.get("depends_on") or ()),
            environment={key: self.value(where, str(text)) for key, text in environment.items()},
            server=lab.get("server", ""),
            binary=lab.get("binary", ""),
            ready=lab["ready"],
            ui=lab.get("ui", "/"),
            reload=lab.get("reload", ""),
            render=dict(lab.get("render") or {}),
            engines=engines,
            build_info=lab.get("build_info", ""),
            secrets=tuple(body.get("secrets") or ()),
            stop_signal=body.get("stop_signal", "SIGTERM"),
            unprivileged=bool(lab.get("unprivileged")),
            scrape=bool(lab.get("scrape")),
            tools=tuple(lab.get("tools") or ()),
            month=self.month(where, str(lab.get("month", "")), mounts),
            optional=str(lab.get("optional", "")),
            datasource=bool(lab.get("datasource")),
        )

    def port(self, where: str, text: Any) -> Port:
        match = PORT.match(str(text))
        if not match:
            raise self.fail(f'{where}: port {text!r} must look like "127.0.0.1:${{NAME_PORT:-9090}}:9090".')
        return Port(match["variable"], int(match["standard"]), int(match["container"]))

    def month(self, where: str, part: str, mounts: tuple[Mount, ...]) -> str:
        if part and part not in MONTH:
            raise self.fail(f"{where}: the archived month has no part {part!r}.{nearest(part, MONTH)}")
        if part and sum(mount.volume for mount in mounts) != 1:
            raise self.fail(f"{where} needs one volume for the archived month's {part}.")
        return part

    def mount(self, where: str, text: str, volumes: set[str]) -> Mount:
        # ${LAB_WORKSPACE:-../workspace} holds a colon of its own, so the variables are filled first.
        source, target, *_mode = self.value(where, text).split(":")
        volume = not source.startswith((".", "/", "~"))
        if volume and source not in volumes:
            raise self.fail(f"{where} mounts volume {source!r}, which `volumes:` does not name.{nearest(source, volumes)}")
        return Mount(source, target, volume)
