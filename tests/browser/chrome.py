"""A headless Chromium, driven over its DevTools protocol."""

import base64
import itertools
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import requests
import websocket

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"


class Chrome:
    """One page of a browser of its own."""

    def __init__(self, profile: Path, width: int = 1400, height: int = 1000) -> None:
        command = [
            str(BINARY),
            *QUIET.split(),
            f"--user-data-dir={profile}",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--window-size={width},{height}",
            "about:blank",
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self.process.stderr
        address = next(match[1] for line in self.process.stderr if (match := re.search(r"ws://(127\.0\.0\.1:\d+)/", line)))
        page = next(one for one in requests.get(f"http://{address}/json", timeout=10).json() if one["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv())).get("id") != number:
            continue
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def evaluate(self, script: str) -> Any:
        """The value of a script; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def wait_for(self, script: str, seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            assert time.monotonic() < deadline, (
                f"not true after {seconds} s: {script}\n{self.evaluate('document.body.innerText')}"
            )
        return value

    def press_shift_enter(self) -> None:
        """Runs the notebook cell that has the focus and moves on to the next."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def click(self, selector: str) -> None:
        """Clicks into the middle of the first element that matches."""
        box = f"JSON.stringify(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        found = json.loads(self.wait_for(box))
        place = {"x": found["x"] + found["width"] / 2, "y": found["y"] + found["height"] / 2, "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", **place)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **place)

    def focus(self, selector: str, seconds: float = 60) -> None:
        """Clicks until the focus is there: a page that is still being laid out may move away under the pointer."""
        there = f"!!document.activeElement && !!document.activeElement.closest({json.dumps(selector)})"
        deadline = time.monotonic() + seconds
        while not self.evaluate(there):
            assert time.monotonic() < deadline, f"{selector} does not take the focus"
            self.click(selector)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)
