"""`./lab` opens JupyterLab on the start page, and what it shows can be read there."""

import time

import psutil
import pytest
from browser.chrome import BINARY

pytestmark = pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine; `apt-get install chromium` brings one")


def test_the_start_page_opens_runs_and_tells_what_this_machine_can_do(jupyter, chrome, tmp_path):
    address, clone, _said = jupyter
    clone.lab("up", "m02")
    chrome.open(address)
    chrome.wait_for("document.body.innerText.includes('This is a workbook about monitoring')")
    chrome.wait_for("!!document.querySelector('.jp-Notebook .jp-CodeCell .cm-content')")
    chrome.focus(".jp-Notebook .jp-CodeCell .cm-content")
    chrome.wait_for("document.body.innerText.includes('| Idle') || document.body.innerText.includes('Idle')")
    for _cell in range(8):
        chrome.press_shift_enter()
    shown = chrome.wait_for(
        "document.body.innerText.includes('what you will be able to do') && document.body.innerText.includes('alertmanager')"
        " && document.body.innerText"
    )
    chrome.picture(tmp_path / "start.png")
    assert (tmp_path / "start.png").stat().st_size > 30_000
    assert "Traceback" not in shown and "Error" not in shown
    assert "Jupyter news" not in shown, "the lab asks for no outside network"


def test_closing_jupyterlab_says_what_still_runs(jupyter):
    _address, clone, said = jupyter
    clone.lab("up", "m02")
    server = next(process for process in psutil.process_iter() if _is_jupyter_of(process, clone))
    server.terminate()
    deadline = time.monotonic() + 30
    while "Still running" not in "".join(said):
        assert time.monotonic() < deadline, "".join(said)
    assert "prometheus" in "".join(said) and "`./lab down` ends them" in "".join(said)


def _is_jupyter_of(process: psutil.Process, clone) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return "jupyterlab" in words and f"--ServerApp.root_dir={clone.repo}/workspace" in words
