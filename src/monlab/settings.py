"""Paths and switches. The only module that reads the environment."""

import getpass
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

REPO = Path(__file__).resolve().parents[2]

RELEASES = "https://github.com"  # where release archives come from, unless LAB_RELEASES names a mirror
CLONE_MARK = "MONLAB_CLONE"  # environment variable that marks every process this clone starts


@dataclass(frozen=True)
class Settings:
    """Where this clone keeps things, and what the environment asks of it."""

    repo: Path  # the clone
    workspace: Path  # the learner's own copies
    state: Path  # what this clone runs and remembers, one folder per clone
    clones: Path  # the folder that holds the state of every clone of this user
    cache: Path  # servers, shared by all clones of this user
    engine: str | None  # LAB_ENGINE: docker, native or external; unset: the lab chooses
    endpoints_file: Path | None  # LAB_ENDPOINTS: a file of URLs of a stack that somebody else runs
    ports_from: str | None  # LAB_PORTS: where the search for free ports begins; unset: the standard ports, if they are free
    image_prefix: str  # LAB_IMAGE_PREFIX: put before every image name, for a mirror or for images of one's own
    releases: str  # LAB_RELEASES: where release archives come from
    proxy_prefix: str | None  # JUPYTERHUB_SERVICE_PREFIX: set where JupyterLab runs behind a hub
    remote_login: bool  # SSH_CONNECTION: the person's browser is on another machine
    environment_seconds: float  # LAB_ENVIRONMENT_SECONDS: what `lab` spent on making the environment
    strict: bool  # STRICT=1: a failed check raises

    @property
    def compose_file(self) -> Path:
        return self.repo / "stack" / "compose.yaml"

    @property
    def versions_file(self) -> Path:
        return self.repo / "stack" / "versions.env"

    @property
    def native(self) -> Path:
        return self.repo / "stack" / "native"

    @property
    def scrape(self) -> Path:
        return self.repo / "stack" / "scrape"

    @property
    def datasources(self) -> Path:
        return self.repo / "stack" / "grafana" / "datasources"

    @property
    def shop(self) -> Path:
        return self.repo / "stack" / "shop"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    @property
    def open_data(self) -> Path:
        """For data of servers that refuse to run as root, when a root starts them: another user cannot look into root's home."""
        return Path("/var/tmp") / f"monlab-{self.clone_id}-{_short(self.state)}"

    @property
    def progress_file(self) -> Path:
        """What the learner has answered, for all clones: a new copy of the course goes on where the old one was."""
        return self.clones / "progress.sqlite"

    @property
    def course(self) -> Path:
        return self.repo / "course"

    @property
    def clone_id(self) -> str:
        return self.state.name

    @property
    def socket(self) -> Path:
        """The supervisor's unix socket. A socket's path may have 107 bytes; a deep home directory needs another place."""
        beside = self.state / "supervisor.sock"
        if len(os.fsencode(beside)) <= 100:
            return beside
        return Path(tempfile.gettempdir()) / f"monlab-{getpass.getuser()}-{self.clone_id}.sock"


def _short(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def settings(environment: Mapping[str, str] | None = None, repo: Path = REPO) -> Settings:
    """The settings for `repo`, read from `environment` (default: this process's own)."""
    env = os.environ if environment is None else environment
    clones = Path(platformdirs.user_state_dir("monlab"))
    clone = f"{repo.name}-{_short(repo)}"
    return Settings(
        repo=repo,
        workspace=repo / "workspace",
        state=clones / clone,
        clones=clones,
        cache=Path(platformdirs.user_cache_dir("monlab")),
        engine=env.get("LAB_ENGINE") or None,
        endpoints_file=Path(env["LAB_ENDPOINTS"]).absolute() if env.get("LAB_ENDPOINTS") else None,
        ports_from=env.get("LAB_PORTS") or None,
        image_prefix=env.get("LAB_IMAGE_PREFIX") or "",
        releases=env.get("LAB_RELEASES") or RELEASES,
        proxy_prefix=env.get("JUPYTERHUB_SERVICE_PREFIX") or None,
        remote_login=bool(env.get("SSH_CONNECTION")),
        environment_seconds=float(env.get("LAB_ENVIRONMENT_SECONDS") or 0),
        strict=env.get("STRICT") == "1",
    )


def resolve_paths() -> None:
    """Makes a relative LAB_ENDPOINTS absolute, for the notebooks that this command starts in another folder."""
    if os.environ.get("LAB_ENDPOINTS"):
        os.environ["LAB_ENDPOINTS"] = str(Path(os.environ["LAB_ENDPOINTS"]).absolute())


def be_strict() -> None:
    """Makes a failed check raise, here and in what this process starts."""
    os.environ["STRICT"] = "1"


def child_environment(**extra: str) -> dict[str, str]:
    """This process's environment with `extra` added, for a program the lab starts."""
    return {**os.environ, **extra}
