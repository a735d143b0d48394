"""Commands run in a fork of a process that has the libraries loaded already.

Loading them takes most of the time of a short command, and the tests run thousands. Nothing of this project is loaded before the fork:
a command runs the code of its own clone. Linux only, like the servers' tests; elsewhere, and for an environment that Python or the
loader read at their start, a command is started in the ordinary way.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import types
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = (
    "docker",
    "filelock",
    "IPython.display",
    "jupytext",
    "matplotlib.pyplot",
    "nbval.plugin",
    "pandas",
    "papermill",
    "platformdirs",
    "prometheus_api_client",
    "psutil",
    "requests",
    "rich.live",
    "rich.table",
    "xmlrpc.client",
    "yaml",
)
AT_START = ("PYTHON", "LD_", "MPL", "OPENBLAS")  # what a program reads once; PYTHONPATH is taken over


def run(words: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """`python WORDS`, as `subprocess.run` with captured output; WORDS are `-m MODULE ...` or `-c CODE`."""
    if sys.platform != "linux" or _at_start(env) != _at_start(os.environ):
        return subprocess.run(
            [sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False
        )
    return _forker(os.getpid()).run(words, cwd, env, timeout)


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(AT_START) and name != "PYTHONPATH"}


def end() -> None:
    """Ends the process that forks, if there is one; the next command makes another."""
    while _made:
        _made.popitem()[1].end()


def _forker(pid: int) -> "Forker":
    """This process's own."""
    if pid not in _made:
        _made[pid] = Forker()
    return _made[pid]


_made: "dict[int, Forker]" = {}


class Forker:
    """The process that forks, seen from the tests."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._lock = threading.Lock()

    def end(self) -> None:
        """It ends when nobody can ask it any more."""
        self._socket.close()
        self._process.wait(10)

    def run(self, words: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
        """Runs one command after another."""
        with self._lock:
            pipes = [os.pipe(), os.pipe()]
            request = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode()
            socket.send_fds(self._socket, [request], [write for _read, write in pipes])
            for _read, write in pipes:
                os.close(write)
            said = ["", ""]
            readers = [threading.Thread(target=_read_all, args=(said, at, read)) for at, (read, _write) in enumerate(pipes)]
            for reader in readers:
                reader.start()
            pid = int(self._socket.recv(100))
            deadline = time.monotonic() + timeout
            self._socket.settimeout(timeout)
            try:
                code = int(self._socket.recv(100))
                for reader in readers:
                    reader.join(max(0, deadline - time.monotonic()))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._socket.settimeout(None)
                self._socket.recv(100)
                raise subprocess.TimeoutExpired(list(words), timeout, *said) from None
            if any(reader.is_alive() for reader in readers):
                raise subprocess.TimeoutExpired(list(words), timeout, *said)
            return subprocess.CompletedProcess(list(words), code, *said)


def _read_all(said: list[str], at: int, fd: int) -> None:
    with open(fd, encoding="utf-8") as stream:
        said[at] = stream.read()


def serve(asking: socket.socket) -> None:
    """Takes requests until the other side is gone."""
    sys.modules.setdefault("rfc3987_syntax", None)  # as src/monlab/workbook/__init__.py does
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    while True:
        request, fds, _flags, _address = socket.recv_fds(asking, 1 << 20, 2)
        if not request:
            return
        pid = os.fork()
        if not pid:
            asking.close()
            _become(json.loads(request), fds)
        for fd in fds:
            os.close(fd)
        asking.send(str(pid).encode())
        _pid, status = os.waitpid(pid, 0)
        asking.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict, fds: list[int]) -> None:
    """What `python WORDS` does, in this fork; does not return."""
    for at, fd in enumerate(fds, 1):
        os.dup2(fd, at)
        os.close(fd)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    kind, what, *more = request["words"]
    sys.path[:] = [
        "" if kind == "-c" else str(Path.cwd()),
        *filter(None, os.environ.get("PYTHONPATH", "").split(":")),
        *sys.path[1:],
    ]
    sys.argv = ["-c" if kind == "-c" else "-m", *more]
    code = 1
    try:
        if kind == "-c":
            sys.modules["__main__"] = main = types.ModuleType("__main__")
            exec(compile(what, "<string>", "exec"), main.__dict__)
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - as Python itself does at the end of a program
        traceback.print_exc()
    with contextlib.suppress(BaseException):
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
