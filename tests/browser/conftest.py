"""JupyterLab as `./lab` starts it."""

import re
import threading

import psutil
import pytest
from browser.chrome import BINARY, Chrome


def start(clone, base_url: str = "/"):
    """Yields JupyterLab's address with the token, the clone, and all that was printed."""
    config = clone.home / "jupyter"  # nor may open tabs and settings of the person who runs the tests matter
    config.mkdir()
    (config / "jupyter_server_config.py").write_text(f"c.ServerApp.base_url = {base_url!r}\n", "utf-8")
    clone.environment["JUPYTER_CONFIG_DIR"] = str(config)
    process = clone.begin("--no-browser")
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        match = re.search(r"http://127\.0\.0\.1:\d+/\S*lab/tree/\S+\?token=\w+", line)
        if match:
            break
    assert match, "".join(said)
    threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True).start()
    yield match[0], clone, said
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    for child in family:  # JupyterLab and its kernels; `./lab` then ends by itself
        child.terminate()
    _gone, left = psutil.wait_procs(family, timeout=20)
    for child in left:
        child.kill()
    process.wait(30)


@pytest.fixture
def jupyter(clone):
    yield from start(clone)


@pytest.fixture
def jupyter_under_a_base_url(clone):
    """As a hub serves it: everything under /user/x/."""
    yield from start(clone, "/user/x/")


@pytest.fixture
def chrome(tmp_path):
    if BINARY is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` brings one")
    browser = Chrome(tmp_path / "profile")
    yield browser
    browser.close()
