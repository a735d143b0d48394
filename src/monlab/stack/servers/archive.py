"""The project's official release archive, checked against the checksum list published with that release."""

import hashlib
import io
import platform
import queue
import re
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests
import urllib3

from monlab.problem import LabProblem
from monlab.settings import RELEASES, Settings
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
    host = recipe.host if settings.releases == RELEASES else settings.releases  # a mirror has them all
    url = f"{host}/{recipe.archive.format(**names)}"
    wanted = _checksum(f"{host}/{recipe.checksums.format(**names)}", url.rpartition("/")[2])
    body = _download(
        url, lambda done, total: progress(f"{recipe.name} {recipe.version}: downloading {done >> 20} of {total >> 20} MB")
    )
    got = hashlib.file_digest(body, "sha256").hexdigest()
    if got != wanted:
        raise LabProblem(
            f"The archive {url} is not the one its release names (sha256 {got[:12]}… instead of {wanted[:12]}…); it was thrown away."
        )
    body.seek(0)
    if recipe.whole:
        progress(f"{recipe.name} {recipe.version}: unpacking")
        _unpack_whole(body, recipe.binaries, into, url)
    else:
        _unpack(body, recipe.binaries, {theirs.format(**names): ours for theirs, ours in recipe.archive_names.items()}, into, url)
    return {"url": url, "sha256": got}


def _checksum(url: str, file: str) -> str:
    text = _download(url, lambda done, total: None).getvalue().decode("utf-8", "replace")
    if re.fullmatch(r"\s*[0-9a-fA-F]{64}\s*", text):  # the sum of one file, in a file of its own
        return text.strip().lower()
    pairs = [line.split() for line in text.splitlines() if len(line.split()) == 2]
    sums = {name.removeprefix("*"): checksum for checksum, name in pairs}
    try:
        return sums[file].lower()
    except KeyError:
        raise LabProblem(f"{url} names no checksum for {file}.") from None


def _download(url: str, progress: Callable[[int, int], None]) -> io.BytesIO:
    host = urlsplit(url).netloc
    if host in _silent_hosts:
        raise LabProblem(f"Release archives cannot be had from {host}.")
    found: queue.Queue[requests.Response | requests.RequestException] = queue.Queue()
    threading.Thread(target=_ask, args=(url, found), daemon=True).start()
    try:
        answer = found.get(timeout=FIRST_ANSWER_SECONDS)
        if isinstance(answer, requests.RequestException):
            raise answer
    except (requests.RequestException, queue.Empty) as error:
        _silent_hosts.add(host)
        why = "no answer" if isinstance(error, queue.Empty | requests.Timeout) else "no connection"
        raise LabProblem(f"Release archives cannot be had from {host} ({why}).") from error
    with answer:
        if answer.status_code != 200:
            raise LabProblem(f"{url} answered {answer.status_code}.")
        return _body(answer, url, progress)


def _ask(url: str, found: "queue.Queue[requests.Response | requests.RequestException]") -> None:
    """Name resolution takes no time-out of its own: this runs in a thread that nobody waits for, not even at the end."""
    try:
        limits = (FIRST_ANSWER_SECONDS, STALL_SECONDS)
        found.put(requests.get(url, stream=True, headers={"Accept-Encoding": "identity"}, timeout=limits))
    except requests.RequestException as error:
        found.put(error)


def _body(answer: requests.Response, url: str, progress: Callable[[int, int], None]) -> io.BytesIO:
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
    body.seek(0)
    return body


def _unpack(body: io.BytesIO, binaries: tuple[str, ...], renamed: Mapping[str, str], into: Path, url: str) -> None:
    """Takes the named programs out of the archive by base name and nothing else: no path of the archive is used."""
    try:
        for name, content in _zipped(body) if url.endswith(".zip") else _tarred(body):
            name = renamed.get(name, name)
            if name in binaries:
                (into / name).write_bytes(content())
                (into / name).chmod(0o755)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        kind = "zip" if url.endswith(".zip") else "tar"
        raise LabProblem(f"{url} is not a {kind} archive: {error}.") from error
    missing = [name for name in binaries if not (into / name).exists()]
    if missing:
        for left in into.iterdir():
            left.unlink()
        raise LabProblem(f"{url} does not hold {', '.join(missing)}.")


def _unpack_whole(body: io.BytesIO, binaries: tuple[str, ...], into: Path, url: str) -> None:
    """Takes every plain file below the archive's one folder; links, and names that lead out of it, are left in there."""
    try:
        with tarfile.open(fileobj=body) as tar:
            for member in tar:
                parts = PurePosixPath(member.name).parts
                if parts[:1] == (".",):
                    parts = parts[1:]
                if member.isfile() and len(parts) > 1 and not {"..", "/"} & set(parts):
                    target = into.joinpath(*parts[1:])
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(_read_member(tar, member))
                    target.chmod(0o755 if member.mode & 0o100 else 0o644)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise LabProblem(f"{url} is not a tar archive: {error}.") from error
    except OSError as error:
        raise LabProblem(f"{url} could not be unpacked into {into.parent}: {error.strerror or error}.") from error
    missing = [name for name in binaries if not (into / "bin" / name).exists()]
    if missing:
        raise LabProblem(f"{url} does not hold {', '.join(missing)}.")


def _tarred(body: io.BytesIO) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Base name of each file of a tar archive, and what reads it."""
    with tarfile.open(fileobj=body) as tar:
        for member in tar:
            if member.isfile():
                yield Path(member.name).name, partial(_read_member, tar, member)


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member)
    return content.read() if content else b""


def _zipped(body: io.BytesIO) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The same for a zip archive."""
    with zipfile.ZipFile(body) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield Path(member.filename).name, partial(archive.read, member)
