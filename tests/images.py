"""Images for the real compose.yaml around the servers of this machine's cache, under a prefix that no registry knows."""

import io
import tarfile

import docker

from monlab.settings import settings
from monlab.stack import compose, servers

PREFIX = "monlab-test/"
NOBODY = 65534


def make(client: docker.DockerClient) -> list[str]:
    """Imports an image for each service that has a native server, as the official one has it. Returns their names."""
    config = settings()
    description = compose.load(config.compose_file, config.versions_file, PREFIX)
    made = []
    for service in description.services.values():
        if "native" not in service.engines:
            continue  # no program to put into it
        made.append(service.image)
        if client.images.list(name=service.image):
            continue
        server = servers.get(service.server, config, lambda line: None)
        repository, _colon, tag = service.image.rpartition(":")
        volumes = [mount.target for mount in service.mounts if mount.volume]
        client.api.import_image_from_data(
            _layer([(f"bin/{name}", server.binary(name)) for name in server.recipe.binaries], volumes),
            repository=repository,
            tag=tag,
            changes=[f'ENTRYPOINT ["/bin/{service.binary}"]', f"USER {NOBODY}"],
        )
    return made


def remove(client: docker.DockerClient) -> None:
    """Takes them away again."""
    for image in client.images.list():
        for name in image.tags:
            if name.startswith(PREFIX):
                client.images.remove(name)


def _layer(files, folders) -> bytes:
    """A file system: programs, and empty folders that the servers' user may write."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, path in files:
            tar.add(path, name)
        for folder in ("tmp", *folders):
            info = tarfile.TarInfo(folder.strip("/"))
            info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, 0o755, NOBODY, NOBODY
            tar.addfile(info)
    return out.getvalue()
