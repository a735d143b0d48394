"""The project's official release archive, checked against the checksum list published with that release."""

import hashlib
import io
import platform
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack.servers.recipe import Recipe

FIRST_ANSWER_SECONDS = 2.5  # a host that does not answer by then counts as refusing
STALL_SECONDS = 5.0  # no byte for so long ends a download
SLOWEST_BYTES_PER_SECOND = 20_000
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

_silent_hosts: set[str] = set()  # asked once in this process and refused: not asked again for the next server


def fetch(recipe: Recipe, into: Path, settings: Settings, progress: Callable[[str], None]) -> dict[str, str]:
    """Puts the recipe's programs into the folder `into`; returns the archive's URL and sha256 for the record.

    Raises LabProblem when the host refuses, stalls or trickles, or when the bytes are not those the release names.
    """
    names = {"version": recipe.version, "os": platform.system().lower(), "arch": MACHINES.get(platform.machine().lower(), "none")}
    url = f"{settings.releases}/{recipe.archive.format(**names)}"
    wanted = _checksum(f"{settings.releases}/{recipe.checksums.format(**names)}", url.rpartition("/")[2])
    body = _download(
        url, lambda done, total: progress(f"{recipe.name} {recipe.version}: downloading {done >> 20} of {total >> 20} MB")
    )
    got = hashlib.sha256(body).hexdigest()
    if got != wanted:
        raise LabProblem(
            f"The archive {url} is not the one its release names (sha256 {got[:12]}… instead of {wanted[:12]}…); it was thrown away."
        )
    _unpack(body, recipe.binaries, into, url)
    return {"url": url, "sha256": got}


def _checksum(url: str, file: str) -> str:
    text = _download(url, lambda done, total: None).decode("utf-8", "replace")
    pairs = [line.split() for line in text.splitlines() if len(line.split()) == 2]
    sums = {name.removeprefix("*"): checksum for checksum, name in pairs}
    try:
        return sums[file].lower()
    except KeyError:
        raise LabProblem(f"{url} names no checksum for {file}.") from None


def _download(url: str, progress: Callable[[int, int], None]) -> bytes:
    host = urlsplit(url).netloc
    if host in _silent_hosts:
        raise LabProblem(f"Release archives cannot be had from {host}.")
    pool = ThreadPoolExecutor(1)  # name resolution takes no time-out of its own, so the whole first answer gets one
    try:
        answer = pool.submit(
            requests.get, url, stream=True, headers={"Accept-Encoding": "identity"}, timeout=(FIRST_ANSWER_SECONDS, STALL_SECONDS)
        ).result(FIRST_ANSWER_SECONDS)
    except (requests.RequestException, Late) as error:
        _silent_hosts.add(host)
        why = "no answer" if isinstance(error, Late | requests.Timeout) else "no connection"
        raise LabProblem(f"Release archives cannot be had from {host} ({why}).") from error
    finally:
        pool.shutdown(wait=False)
    with answer:
        if answer.status_code != 200:
            raise LabProblem(f"{url} answered {answer.status_code}.")
        return _body(answer, url, progress)


def _body(answer: requests.Response, url: str, progress: Callable[[int, int], None]) -> bytes:
    total = int(answer.headers.get("Content-Length") or 0)
    body, start = io.BytesIO(), time.monotonic()
    try:
        while chunk := answer.raw.read1(1 << 16):  # whatever has arrived: a trickle must not hide in a buffer
            body.write(chunk)
            progress(body.tell(), total)
            seconds = time.monotonic() - start
            if seconds > STALL_SECONDS and body.tell() < SLOWEST_BYTES_PER_SECOND * seconds:
                raise LabProblem(f"The download of {url} was too slow ({body.tell() / seconds / 1000:.0f} kB/s).")
    except urllib3.exceptions.HTTPError as error:
        raise LabProblem(f"The download of {url} broke off after {body.tell()} of {total} bytes.") from error
    if total and body.tell() != total:
        raise LabProblem(f"The download of {url} broke off after {body.tell()} of {total} bytes.")
    return body.getvalue()


def _unpack(body: bytes, binaries: tuple[str, ...], into: Path, url: str) -> None:
    """Takes the named programs out of the archive by base name and nothing else: no path of the archive is used."""
    try:
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            for member in tar:
                name = Path(member.name).name
                content = tar.extractfile(member) if member.isfile() and name in binaries else None
                if content:
                    (into / name).write_bytes(content.read())
                    (into / name).chmod(0o755)
    except tarfile.TarError as error:
        raise LabProblem(f"{url} is not a tar archive: {error}.") from error
    missing = [name for name in binaries if not (into / name).exists()]
    if missing:
        for left in into.iterdir():
            left.unlink()
        raise LabProblem(f"{url} does not hold {', '.join(missing)}.")
