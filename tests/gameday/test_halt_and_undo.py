"""However a game day ends, everything can be put back: halts, a full disk, an API that is gone, kill -9."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gherkube.runners.gameday import conductor, lease
from gherkube.runners.gameday.lease import Lease, Locked
from gherkube.runners.gameday.terminal import Lines
from tests.conftest import Project
from tests.door.serving import CODE
from tests.gameday.kill import as_before, intact, written
from tests.gameday.shop import GATES, Shop
from tests.gameday.test_run import only, run, told
from tests.live.proxy import WATCHES, Answer, Proxy

ASKED = "    And somebody is asked who never answers"


def test_a_signal_halts_and_the_second_does_not_skip_the_undo(shop: Shop, project: Project) -> None:
    """It says what to do if it must end."""
    before = shop.objects()
    only(shop, "Somebody stops it")
    done = run(project)
    assert done.code == 7
    assert told(shop, "halt") == ["stopped by a signal"]
    assert (
        "that is not skipped. If it must end: kill -9, then gherkube gameday undo gamedays/shop-" in done.out
    )
    assert shop.objects() == before
    assert shop.lock() is None


def test_a_halt_from_another_computer(shop: Shop, project: Project) -> None:
    """Through the lock."""
    before = shop.objects()
    only(shop, "Somebody halts it")
    assert run(project).code == 7
    assert [each.data for each in shop.records("halt")] == [{"by": "Vera Viewer", "why": "customers call"}]
    assert shop.objects() == before
    done = project.gherkube("gameday", "halt", "shop.gameday.yaml")
    assert done.code == 4
    assert "no game day runs in namespace 'shop': nobody holds the lock" in done.out


def test_a_step_that_blocks(shop: Shop, project: Project) -> None:
    """It is watched all the same, and a halt ends it; that is told."""
    before = shop.objects()
    only(shop, "Somebody never answers", limit="2s")
    done = run(project)
    assert done.code == 7, done.out
    assert told(shop, "halt") == ["the time limit of round “Only” is over"]
    where = shop.plan.with_name("shop.feature").read_text().split("\n").index(ASKED) + 1
    assert f"that ended shop.feature:{where} “{ASKED.strip()}”" in shop.records("round")[-1].data["block"]
    assert not as_before(shop, before)


def test_a_step_that_swallows_the_halt(shop: Shop, project: Project) -> None:
    """What it does then is refused; after a while it is ended with the run, and undo takes its place."""
    before = shop.objects()
    only(shop, "Somebody will not hear", limit="2s")
    impatient = "from gherkube.runners.gameday import blocking; blocking.GRACE = blocking.LOOKS = 0.1; "
    done = project.command("-c", impatient + CODE, "gameday", "run", "shop.gameday.yaml", *GATES)
    assert done.code == 7, done.out
    assert "“And somebody goes on whatever happens” does not end: gherkube gameday undo gamedays/" in done.out
    assert "everything is as it was\nreport: gamedays/" in done.out
    assert shop.journal.with_suffix(".html").exists()
    kinds = [each.kind for each in shop.records()]
    assert kinds.count("before") > 1
    assert "before" not in kinds[kinds.index("halt") :]
    assert not as_before(shop, before)
    assert not intact(shop.journal)


def test_what_somebody_else_changed_is_left(
    shop: Shop, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOT clean, and said; the rest is put back. Undo asks, once somebody can be asked."""
    monkeypatch.setenv("SHOP_KUBECONFIG", str(shop.kubeconfig))
    only(shop, "Somebody else changes it, too")
    done = run(project)
    assert done.code == 8
    what = "spec.replicas: was 3, was made 2, and is 4"
    assert f"somebody else changed it since, so it is left: {what}" in done.out
    web = shop.objects()["deployments/web"]["spec"]
    assert (web["replicas"], web["template"]["spec"]["containers"][0]["image"]) == (4, "hello:1")
    again = project.gherkube("gameday", "undo", f"gamedays/{shop.journal.name}")
    assert again.code == 8
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    asked = project.gherkube("gameday", "undo", f"gamedays/{shop.journal.name}")
    assert asked.code == 7
    assert "-  replicas: 3\n+  replicas: 4" in asked.out
    assert shop.objects()["deployments/web"]["spec"]["replicas"] == 3
    done = project.gherkube("gameday", "undo", f"gamedays/{shop.journal.name}")
    assert (done.code, done.out) == (7, "nothing was left to put back\n")


@pytest.mark.parametrize("kind", ["begin", "lease", "before", "after", "undo"])
def test_a_full_disk(shop: Shop, project: Project, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """From the first record of a kind on: what is not written down is not done, what was done is put back."""
    before, write = shop.objects(), os.write
    full: list[bool] = []

    def writes(file: int, data: bytes) -> int:
        if f'"kind":"{kind}"'.encode() in data:
            full.append(True)
        if full and b'"kind":' in data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    only(shop, "Fewer of it")
    monkeypatch.setattr(os, "write", writes)
    done = run(project)
    monkeypatch.undo()
    assert done.code == (4 if kind in ("begin", "lease") else 7), done.out
    assert "No space left on device" in done.out
    assert not as_before(shop, before)
    assert bool(list((shop.folder / "gamedays").glob("*"))) == (kind not in ("begin", "lease"))


@pytest.fixture
def proxied(shop: Shop, shop_server: Path, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy that stands before the server of the plan's target."""
    config = yaml.safe_load(shop_server.read_text())
    cluster = config["clusters"][0]["cluster"]
    proxy = Proxy(cluster["server"], tmp_path / "proxied")
    cluster["server"] = proxy.url
    proxy.kubeconfig.write_text(yaml.safe_dump(config))
    settings = shop.folder / "gherkube.toml"
    settings.write_text(settings.read_text().replace(str(shop.kubeconfig), str(proxy.kubeconfig)))
    thread = threading.Thread(target=proxy.serve_forever, args=(0.02,))
    thread.start()
    yield proxy
    proxy.shutdown()
    thread.join()
    proxy.server_close()


def away(proxy: Proxy, act: int, requests: int, *, after: bool) -> None:
    """The server answers nothing to so many requests, from that act on; `after`: it does make that act."""
    seen, gone, lock = [0], [0], threading.Lock()

    def rule(method: str, path: str) -> Answer | None:
        with lock:
            if method != "GET" and "leases" not in path and "dryRun" not in path:
                seen[0] += 1
            if seen[0] < act or gone[0] >= requests:
                return None
            gone[0] += WATCHES not in path
            return Answer(0, after=after and gone[0] == 1)

    proxy.rule = rule


@pytest.mark.parametrize(("act", "after"), [(1, True), (2, True), (6, False), (9, True)])
def test_an_api_that_is_gone_for_a_while(
    shop: Shop, project: Project, proxied: Proxy, act: int, after: bool
) -> None:
    """At an act, before it is made or after: the game day goes on, or is put back; nothing is left."""
    before = shop.objects()
    only(shop, "All at once")
    away(proxied, act, 6, after=after)
    assert run(project).code in (0, 3, 7)
    assert not as_before(shop, before)


def test_an_undo_whose_answer_is_lost(shop: Shop, project: Project, proxied: Proxy) -> None:
    """Whether it was made cannot be told then, so it is looked at again: it was."""
    before = shop.objects()
    only(shop, "It takes long")
    shop.change(**{"abort-when": ['fewer than 3 pods of deployment "web" are ready']})
    proxied.times(1, lambda method, path: method == "PUT" and "deployments" in path, Answer(0, after=True))
    done = run(project)
    assert done.code == 7, done.out
    assert [each.data["outcome"] for each in shop.records("undo")] == ["left", "done"]
    assert not as_before(shop, before)


def test_an_api_that_is_gone_for_long(
    shop: Shop, project: Project, proxied: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The undo waits for it; when that takes too long, what is left is said, and `undo` puts it back."""
    before = shop.objects()
    monkeypatch.setattr(conductor, "UNDO_WITHIN", 1.0)
    monkeypatch.setattr("gherkube.runners.live.api.GIVES_UP", 1.0)
    only(shop, "Fewer of it")
    away(proxied, 1, 1_000_000, after=True)
    done = run(project)
    assert done.code == 8, done.out
    assert "left: gherkube gameday undo gamedays/shop-" in done.out
    proxied.rule = lambda *_: None
    assert project.gherkube("gameday", "undo", f"gamedays/{shop.journal.name}").code == 7
    assert not as_before(shop, before)
    assert not intact(shop.journal)


@pytest.mark.parametrize("records", [9, 16])
def test_kill_9(shop: Shop, project: Project, records: int) -> None:
    """At that record: `undo` puts everything back, frees the lock, and ends the journal."""
    before = shop.objects()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "gameday", "run", "shop.gameday.yaml", *GATES],
        cwd=shop.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while written(shop, set()) < records:
        assert process.poll() is None
    process.kill()
    process.wait()
    status = project.gherkube("gameday", "status", "shop.gameday.yaml")
    assert "the run is gone, and did not come to its end" in status.out
    done = project.gherkube("gameday", "undo", f"gamedays/{shop.journal.name}")
    assert done.code == 7, done.out
    assert {each.data["ref"] for each in shop.records("undo")} == {
        each.seq for each in shop.records("before")
    }
    assert not as_before(shop, before)
    assert not intact(shop.journal)


def test_what_was_said_of_images(shop: Shop, project: Project) -> None:
    """Each round is put back to what was said before the game day, which others may have said."""
    shop.api.raw("PATCH", "/gherkube/v1/images", {"hello:2": "takes 5 seconds to stop"})
    before = shop.objects()
    only(shop, "Somebody is said to be slow")
    done = run(project)
    assert done.code == 0, done.out
    words = [each.data["act"] for each in shop.records("before")]
    assert words[:2] == [
        'image "hello:2" takes 1 seconds to stop',
        'image "hello:2" never becomes ready',
    ]
    assert not as_before(shop, before)
    assert before["images/docker.io/library/hello:2"] == {"stop_seconds": 5}
    shop.api.raw("PUT", "/gherkube/v1/images", {"hello:2": None})


def test_what_was_said_of_images_by_a_run_that_was_killed(shop: Shop, project: Project) -> None:
    """Undo says again what was said before."""
    before = shop.objects()
    only(shop, "It is killed")
    arguments = ["gameday", "run", "shop.gameday.yaml", *GATES]
    subprocess.run([sys.executable, "-c", CODE, *arguments], cwd=shop.folder, check=False)
    assert "images/docker.io/library/hello:2 is not as it was" in as_before(shop, before)
    done = project.gherkube("gameday", "undo", f"gamedays/{shop.journal.name}")
    assert done.code == 7, done.out
    assert 'images "hello:2": as it was before' in done.out
    assert "it was ended early" in shop.journal.with_suffix(".md").read_text()
    assert not as_before(shop, before)


# --- The lock


def test_a_lock_is_held_by_renewing_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the server's clock: a clock that is set anew here does not make it expire."""
    first, second = (Lease(shop.api, "shop", f"{name}@here/1/1") for name in ("olga", "otto"))
    first.take()
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
    with pytest.raises(Locked, match="olga@here/1/1, until"):
        second.take()
    assert first.renew().holder == "olga@here/1/1"
    monkeypatch.setattr(lease, "steady_time", lambda: steady + 100.0)
    steady = lease.time.clock_gettime(lease.time.CLOCK_MONOTONIC)
    taken = second.take()
    assert taken is not None
    assert taken.holder == "olga@here/1/1"
    with pytest.raises(Locked, match="it was taken by otto@here/1/1"):
        first.renew()
    first.release()
    assert shop.lock() is not None
    second.release()
    assert shop.lock() is None


def test_who_holds_a_lock_is_asked_to_halt(shop: Shop) -> None:
    """Also while it is renewed; the next one to take it is not asked."""
    holder = Lease(shop.api, "shop", "olga@here/1/1")
    holder.take()
    Lease(shop.api, "shop", "vera").ask_to_halt("Vera", "why not")
    assert holder.renew().halt == {"by": "Vera", "why": "why not"}
    found = holder.look()
    assert found is not None
    assert found.halt == {"by": "Vera", "why": "why not"}
    after = Lease(shop.api, "shop", "otto@here/1/1")
    after.take(from_="olga@here/1/1")
    assert after.renew().halt is None
    after.release()


def test_a_terminal_that_is_gone(shop: Shop, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can be shown anything any more, and everything is put back all the same."""

    def gone(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    before = shop.objects()
    only(shop, "Fewer of it")
    monkeypatch.setattr(Lines, "say", gone)
    assert run(project).code == 0
    assert not as_before(shop, before)
