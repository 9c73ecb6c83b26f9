"""Pages opened in a headless browser, where the machine has one, and what it says of them.

Chromium is spoken to over two pipes, in the DevTools protocol: no package, no port, no driver.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--proxy-server=127.0.0.1:9", "--remote-debugging-pipe"),  # nothing gets out, nor is asked
)
_SECONDS = 60.0  # a busy machine starts a browser slowly

# Elements that reach beyond the window and are not within something that scrolls by itself.
_BEYOND = """
(() => {
  const scrolls = e => { for (; e; e = e.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)) return true;
    return false; };
  return [...document.body.querySelectorAll("*")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
    .map(e => e.tagName + "." + e.className);
})()
"""


def browsers() -> tuple[str, ...]:
    """Paths of the browsers of this machine that start; none on many."""
    found = dict.fromkeys(filter(None, map(shutil.which, _NAMES)))
    return tuple(path for path in found if _starts(path))[:1]


def _starts(path: str) -> bool:
    """Whether it is a browser, and no stub that asks for an installation."""
    try:
        answer = subprocess.run(
            [path, "--version"], check=False, capture_output=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and b"Chrom" in answer.stdout


@dataclass(frozen=True)
class Sight:
    """What a browser saw of a page.

    Attributes
    ----------
    complaints : tuple of str
        Whatever it wrote into its console, and errors of scripts.
    requests : tuple of str
        Addresses it asked for, beside the page itself and data within it.
    width : int
        Width of the page, in CSS pixels; more than the window's if it can be moved sideways.
    beyond : tuple of str
        Elements that reach beyond the window without scrolling by themselves.
    text : str
        All text that can be seen.
    title : str
        The window's title.
    kinds : tuple of str
        Kinds of elements in the page.
    """

    complaints: tuple[str, ...]
    requests: tuple[str, ...]
    width: int
    beyond: tuple[str, ...]
    text: str
    title: str
    kinds: tuple[str, ...]


class Browser:
    """A browser with one window.

    Parameters
    ----------
    path : str
        The program.
    folder : Path
        For its profile.
    """

    def __init__(self, path: str, folder: Path) -> None:
        to_read, self._out = os.pipe()
        self._in, to_write = os.pipe()
        # It listens on 3 and answers on 4: numbers that must not be anything else's meanwhile.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_read, to_write)]
        quiet = os.open(os.devnull, os.O_RDWR)
        command = [path, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
        actions = [(os.POSIX_SPAWN_DUP2, quiet, k) for k in range(3)]
        actions += [(os.POSIX_SPAWN_DUP2, end, k) for k, end in zip((3, 4), ends, strict=True)]
        home = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._process = os.posix_spawn(path, command, home, file_actions=actions, setpgroup=0)
        for end in (*ends, to_read, to_write, quiet):
            os.close(end)
        self._buffer = b""
        self._count = 0
        self._events: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", url="about:blank", session="")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True, session="")
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it and wait until it is gone."""
        with suppress(OSError, TimeoutError):
            self._ask("Browser.close", session="")
        os.close(self._out)
        os.close(self._in)
        deadline = time.monotonic() + _SECONDS
        while os.waitpid(self._process, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.killpg(self._process, 9)
            time.sleep(0.02)

    def look(
        self, page: Path, width: int = 1200, height: int = 900, *, phone: bool = False
    ) -> Sight:
        """Open a file in a window of so many CSS pixels and say what was seen."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip
        self._events.clear()
        self._ask("Page.navigate", url=page.as_uri())
        self._wait_for("Page.loadEventFired")
        seen = Sight(
            complaints=(),
            requests=(),
            width=int(self.run("document.documentElement.scrollWidth")),
            beyond=tuple(self.run(_BEYOND)),
            text=str(self.run("document.body.innerText")),
            title=str(self.run("document.title")),
            kinds=tuple(self.run("[...new Set([...document.all].map(e => e.localName))]")),
        )
        # What the page does a moment later counts as well.
        self.run("new Promise(done => setTimeout(done, 100))")
        complaints = tuple(self._complaints())
        return Sight(**{**vars(seen), "complaints": complaints, "requests": self._requests(page)})

    def run(self, script: str) -> Any:
        """Return what a script evaluates to in the page, whatever the policy of the page."""
        answer = self._ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, path: Path, media: str = "screen") -> None:
        """Store the whole page as PNG."""
        self._ask("Emulation.setEmulatedMedia", media=media)
        answer = self._ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def printed(self, path: Path) -> None:
        """Store the page as it is printed, as PDF."""
        self._ask("Emulation.setEmulatedMedia", media="")
        answer = self._ask("Page.printToPDF", preferCSSPageSize=False)
        path.write_bytes(base64.b64decode(answer["data"]))

    # ------------------------------------------------------------------ what happened

    def _complaints(self) -> list[str]:
        found = []
        for event in self._events:
            details = event["params"]
            if event["method"] == "Runtime.consoleAPICalled":
                found.append(json.dumps(details["args"]))
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(details["exceptionDetails"]))
            if event["method"] == "Log.entryAdded":
                found.append(str(details["entry"]["text"]))
        return found

    def _requests(self, page: Path) -> tuple[str, ...]:
        asked = (
            event["params"]["request"]["url"]
            for event in self._events
            if event["method"] == "Network.requestWillBeSent"
        )
        return tuple(url for url in asked if url != page.as_uri() and not url.startswith("data:"))

    # ------------------------------------------------------------------ the protocol

    def _ask(self, method: str, *, session: str | None = None, **params: Any) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        address = self._session if session is None else session
        if address:
            message["sessionId"] = address
        self._send(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _send(self, message: bytes) -> None:
        while message:
            message = message[os.write(self._out, message) :]

    def _wait_for(self, method: str) -> None:
        while not any(event["method"] == method for event in self._events):
            self._events.append(self._receive())

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], _SECONDS)
            piece = os.read(self._in, 1 << 20) if ready else b""
            if not piece:
                msg = "the browser says nothing"
                raise TimeoutError(msg)
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
