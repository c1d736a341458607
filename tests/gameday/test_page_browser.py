"""The page of a running game day in a real browser: what people see of it, press, and write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from gherkube.runners.gameday.page import Page
from tests.gameday.browser import Browser, chromium
from tests.gameday.people import UNTIL, Asked, gate, state

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium here")

MARKUP = """<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"""
LIVE = "document.querySelector('#link').textContent === 'live'"
LATER = "2999-03-02T14:05:00.000Z"


def browse(tell: Callable[[Browser, Page, Asked], Awaitable[None]], **size: Any) -> None:
    """Tells a story in a browser that looks at a page."""

    async def story() -> None:
        asked = Asked()
        page = Page(asked)
        try:
            async with Browser(**size) as browser:
                await tell(browser, page, asked)
        finally:
            await asyncio.to_thread(page.close)

    asyncio.run(story())


async def told(asked: Asked) -> tuple[Any, ...]:
    """What is asked next."""
    return await asyncio.to_thread(asked.told.get, timeout=300)


def shows(selector: str, text: str) -> str:
    """A condition: that text is there."""
    return f"document.querySelector({selector!r}).textContent.includes({text!r})"


def test_gate_halt_and_notes() -> None:
    """A person confirms a gate, notes something, finds something, and halts, which is asked twice."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        page.show(state(gate=gate(until=LATER)))
        await browser.open(page.url)
        await browser.until(LIVE)
        assert await browser.evaluate("location.href.includes('#')") is False
        assert not [url for url in browser.requests if page.token in url.partition("#")[0]]
        assert "Nothing is left behind" in await browser.text("#gate")
        await browser.type("#gate-by", "Olga Owner")
        await browser.click("#confirm")
        assert await told(asked) == ("confirm", "Olga Owner")
        page.show(state())
        await browser.until("document.querySelector('#gate').hidden")
        await browser.type("#text", "No alert yet")
        await browser.click("#note button")
        assert await told(asked) == ("note", "Olga Owner", "No alert yet", {})
        await browser.until(shows("#noted", "Written down"))
        await browser.type("#text", "The alert was late")
        await browser.type("#severity", "high")
        await browser.type("#retest", "2026-12-01")
        await browser.click("#note button")
        finding = {"severity": "high", "retest": "2026-12-01"}
        assert await told(asked) == ("note", "Olga Owner", "The alert was late", finding)
        await browser.click("#halt")
        await browser.click("#go-on")
        assert await browser.evaluate("document.querySelector('#sure').open") is False
        await browser.click("#halt")
        await browser.type("#why", "customers call")
        await browser.click("#halting [type=submit]")
        assert await told(asked) == ("halt", "Olga Owner", "customers call")
        await browser.until("document.querySelector('#halt').disabled")
        left = {"hypothesis": "broken", "clean": False, "left": ["deployment shop"], "exit": 8}
        page.show(state(phase="ended", verdict=left))
        await browser.until(shows("#verdict", "NOT everything is as it was"))
        assert browser.said == []

    browse(story)


def test_what_is_refused_is_told_where_it_was_asked() -> None:
    """A gate of another person; a name that is not given."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        asked.open_gate("operator")
        page.show(state(gate=gate(until=LATER)))
        await browser.open(page.url)
        await browser.until(LIVE)
        await browser.click("#confirm")
        await browser.until(shows("#gate-wrong", "say who you are"))
        await browser.type("#gate-by", "Vera")
        await browser.click("#confirm")
        await browser.until(shows("#gate-wrong", "Otto Operator"))
        assert asked.told.empty()

    browse(story)


def test_a_connection_that_is_lost_is_said_and_made_anew() -> None:
    """What stands there is said to be old; nothing that is asked meanwhile is taken for done."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        page.show(state())
        await browser.open(page.url)
        await browser.until(LIVE)
        await browser.ask(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )
        page.close()
        await browser.until("!document.querySelector('#lost').hidden")
        assert "gherkube gameday halt" in await browser.text("#lost")
        await browser.type("#text", "is anybody there?")
        await browser.type("#by", "Vera")
        await browser.click("#note button")
        await browser.until(shows("#noted", "It was not sent"))
        assert asked.told.empty()
        again = Page(asked, port=int(page.url.split(":")[2].split("/")[0]), token=page.token)
        try:
            again.show(state(phase="undoing"))
            await browser.ask(
                "Network.emulateNetworkConditions",
                offline=False,
                latency=0,
                downloadThroughput=-1,
                uploadThroughput=-1,
            )
            await browser.until(f"{LIVE} && document.querySelector('#lost').hidden")
            assert await browser.text("#phase") == "Undoing"
        finally:
            await asyncio.to_thread(again.close)

    browse(story)


def test_nothing_that_is_said_is_ever_executed() -> None:
    """Names, messages and notes with markup are shown as the text they are."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        del asked
        hostile = state(MARKUP, gate=gate(MARKUP, LATER))
        hostile["verdict"] = {"hypothesis": f"held{MARKUP}", "clean": True, "left": [MARKUP], "exit": 0}
        page.show(hostile)
        await browser.open(page.url)
        await browser.until(shows("#log", "round 2 begins"))
        for place in (
            "#name",
            "#round",
            "#steady",
            "#abort",
            "#pods",
            "#acts",
            "#times",
            "#log",
            "#gate",
            "#lock",
            "#verdict",
        ):
            assert "<img src=x" in await browser.text(place), place
        assert await browser.evaluate("document.querySelectorAll('img, body script').length") == 0
        assert "owned" not in await browser.evaluate("document.title.replace(/<.*>/g, '')")
        assert browser.said == []

    browse(story)


def test_without_the_token_it_says_what_to_do() -> None:
    """And shows and asks for nothing."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        page.show(state())
        await browser.open(page.url.partition("#")[0])
        await browser.until(shows("#lost", "open the address that its terminal shows"))
        assert await browser.text("#name") == "…"
        assert await browser.evaluate("document.querySelector('#halt').disabled")
        assert asked.told.empty()

    browse(story)


class Elsewhere(BaseHTTPRequestHandler):
    """A page of another origin."""

    def do_GET(self) -> None:
        """An empty page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_page_of_another_origin_can_do_nothing() -> None:
    """Not even one that knows the token: it neither reads, nor acts, nor frames."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        page.show(state())
        other = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
        thread = Thread(target=other.serve_forever, args=(0.02,))
        thread.start()
        try:
            await browser.open(f"http://127.0.0.1:{other.server_port}/")
            await browser.until("document.title === 'elsewhere'")
            base = page.url.partition("#")[0]
            attempt = (
                "fetch('%s', {method: 'POST', mode: '%s', body: '{\"by\": \"x\"}', headers: %s})"
                ".then((answer) => answer.type + answer.status, (error) => 'refused')"
            )
            bearer = f"{{Authorization: 'Bearer {page.token}', 'Content-Type': 'application/json'}}"
            assert await browser.evaluate(attempt % (f"{base}halt", "cors", bearer)) == "refused"
            assert await browser.evaluate(attempt % (f"{base}halt", "no-cors", "{}")) in (
                "refused",
                "opaque0",
            )
            read = f"fetch('{base}events', {{headers: {bearer}}}).then(() => 'read', () => 'refused')"
            assert await browser.evaluate(read) == "refused"
            framed = (
                "new Promise((done) => { const frame = document.createElement('iframe');"
                f"frame.src = '{base}'; frame.onload = () => {{ try {{"
                "done(String(frame.contentDocument?.title)) } catch { done('refused') } };"
                "document.body.append(frame); })"
            )
            assert await browser.evaluate(framed) in ("refused", "undefined", "null", "")
            assert asked.told.empty()
        finally:
            other.shutdown()
            thread.join()
            other.server_close()

    browse(story)


def test_it_fits_a_phone() -> None:
    """Nothing is wider than the screen, the halt button is in reach, and fields are large enough to touch."""

    async def story(browser: Browser, page: Page, asked: Asked) -> None:
        del asked
        page.show(state("-" + "x" * 120, gate=gate("y" * 120, UNTIL)))
        await browser.open(page.url)
        await browser.until(LIVE)
        assert await browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        box = "document.querySelector('#halt').getBoundingClientRect()"
        assert await browser.evaluate(f"{box}.bottom <= innerHeight && {box}.height >= 44")

    browse(story, width=400, height=800)
