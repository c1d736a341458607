"""A headless Chromium, driven over its DevTools protocol: opens a page, asks it, presses its buttons.

Nothing here sleeps: what is waited for is waited for in the page itself.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--remote-debugging-port=0", "--remote-allow-origins=*"),
)
LONGEST = 300.0
"""Real seconds after which what is waited for is taken for never."""


def chromium() -> str | None:
    """The program, where there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """`async with Browser() as browser`: one page of its own, gone at the end with all that it stored."""

    def __init__(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        self._size, self._dark = (width, height), dark
        self._profile = tempfile.mkdtemp(prefix="gherkube-browser-")
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.said: list[str] = []
        """What the page's console and its policy complained about."""
        self.requests: list[str] = []
        """The addresses that the page asked for."""

    async def __aenter__(self) -> Self:
        program = chromium()
        assert program is not None
        width, height = self._size
        self._process = await asyncio.create_subprocess_exec(
            *(program, *FLAGS, f"--user-data-dir={self._profile}", f"--window-size={width},{height}"),
            *(["--force-dark-mode"] if self._dark else []),
            "about:blank",
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stderr is not None
        async with asyncio.timeout(LONGEST):
            while b"DevTools listening on " not in (line := await self._process.stderr.readline()):
                assert line, "Chromium ended before it was there"
        self._drain = asyncio.create_task(self._process.stderr.read())
        address = line.decode().split()[-1]
        self._session = aiohttp.ClientSession()
        async with self._session.get(address.split("/devtools")[0].replace("ws:", "http:") + "/json") as told:
            page = next(each for each in await told.json() if each["type"] == "page")
        self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)
        self._listening = asyncio.create_task(self._listen())
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.ask(f"{domain}.enable")
        await self.resize(width, height)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.cancel()
        with suppress(asyncio.CancelledError):
            await self._listening
        await self._socket.close()
        await self._session.close()
        self._process.kill()
        await self._process.wait()
        await self._drain
        shutil.rmtree(self._profile, ignore_errors=True)

    async def _listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] == "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(each.get("value")) for each in told["params"]["args"]))
            elif told["method"] == "Log.entryAdded":
                self.said.append(told["params"]["entry"]["text"])
            elif told["method"] == "Runtime.exceptionThrown":
                self.said.append(str(told["params"]["exceptionDetails"]))
            elif told["method"] == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One call of the protocol."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        async with asyncio.timeout(LONGEST):
            told = await answer
        assert "error" not in told, told
        return dict(told["result"])

    async def resize(self, width: int, height: int) -> None:
        """Gives the page another size, and the colours that were asked for."""
        await self.ask(
            *("Emulation.setDeviceMetricsOverride",),
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = "dark" if self._dark else "light"
        await self.ask(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    async def open(self, url: str) -> None:
        """Goes there; the page's own script may still be at work."""
        await self.ask("Page.navigate", url=url)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        told = await self.ask(
            *("Runtime.evaluate",), expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def until(self, condition: str) -> None:
        """Waits in the page until the expression is true."""
        async with asyncio.timeout(LONGEST):
            while True:
                try:
                    await self.evaluate(
                        "new Promise((done) => { const look = () => { let is = false; "
                        f"try {{ is = {condition}; }} catch {{}} "
                        "is ? done() : setTimeout(look, 20); }; look(); })"
                    )
                    return
                except AssertionError as lost:  # the page went to another address meanwhile
                    if "context" not in str(lost) and "navigat" not in str(lost):
                        raise

    async def click(self, selector: str) -> None:
        """Presses what the selector names."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def type(self, selector: str, text: str) -> None:
        """Writes into a field, as somebody who types."""
        await self.evaluate(
            f"(field => {{ field.value = {json.dumps(text)}; field.dispatchEvent(new Event('change')); }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )

    async def text(self, selector: str) -> str:
        """The text of what the selector names."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """A picture of the page."""
        told = await self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))


async def _look(url: str, path: str, width: str, scheme: str = "light") -> None:
    """python -m tests.gameday.browser URL PICTURE WIDTH [dark]: a picture of the whole page."""
    async with Browser(width=int(width), height=900, dark=scheme == "dark") as browser:
        await browser.open(url)
        await browser.until("document.readyState === 'complete'")
        height = await browser.evaluate("document.documentElement.scrollHeight")
        await browser.resize(int(width), min(int(height), 12000))
        await browser.picture(Path(path))


if __name__ == "__main__":
    asyncio.run(_look(*sys.argv[1:]))
