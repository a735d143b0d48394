"""The archived month in Docker: a service's named volume is filled through its container, before that is started."""

import io
import tarfile
import tempfile
from pathlib import Path
from typing import IO

import docker
from docker.errors import NotFound

from monlab.settings import Settings
from monlab.stack import month

USER = 65534  # whom the servers of the month run as


def holds(client: docker.DockerClient, container: str, target: str, part: str, settings: Settings) -> bool:
    """Whether the volume at `target` of a container was filled from the present part."""
    try:
        stream, _facts = client.api.get_archive(container, f"{target}/{month.MARKER}")
    except NotFound:
        return False
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        marker = tar.extractfile(month.MARKER)
        return marker is not None and marker.read().decode() == month.key(part, settings)


def fill(client: docker.DockerClient, container: str, target: str, part: str, settings: Settings) -> None:
    """Puts a part into the empty volume at `target` of a container that was created and not started."""
    with tempfile.TemporaryFile() as file:
        with month.held(part, settings) as source:
            _tar(source, month.key(part, settings), file)
        file.seek(0)
        client.api.put_archive(container, target, file)


def _tar(source: Path, key: str, file: IO[bytes]) -> None:
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.add(source, ".", filter=_owned)  # the folder itself too: an empty volume is root's
        marker = tarfile.TarInfo(month.MARKER)
        marker.size = len(key)
        tar.addfile(marker, io.BytesIO(key.encode()))  # last: a volume that was filled in part has none


def _owned(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = USER
    info.mode = 0o755 if info.isdir() else 0o644
    return info
