"""CHAOS: everything at once, drawn from a seed. The ledger is green at each pause, and when it is
over memory and descriptors are what they were after the warm-up.

`./bootstrap soak` runs it for half an hour, in chapters; CI a chapter in which each act comes once.
"""

import os
import random
import time

import pytest

from harness import Ledger, queue_is_empty, wait_for
from harness.process import descriptors, private_octets
from harness.server import BUILD

from . import plan
from .acts import Acts
from .mixed import MixedLoad
from .scene import Scene

MINUTES = float(os.environ.get("SEKISHO_SOAK_MINUTES") or 0)
CHAPTER = 24  # events, and then a pause
SIZES = (200, 1000, 4096, 4096, 4096, 20000, 70000, 200000)

# What a role may have beyond what it had after the warm-up: pages of SQLite's and malloc's that
# are kept for the next time.
MORE_OCTETS = 2 << 20
MORE_DESCRIPTORS = 4

pytestmark = pytest.mark.needs_root("mounts a loop device, and has users of its own")


@pytest.fixture
def scene(request):
    made = Scene()
    request.node.servers = [made]  # its log is shown where the test fails
    yield made
    made.clean_up()


class Use:
    """What the roles take of the machine while they have nothing to do."""

    def __init__(self, scene):
        wait_for(lambda: not scene.user_delivers(), "users' delivers to leave", 30)
        self.roles = {}
        for pid, name in scene.family().items():
            octets, count = self.roles.get(name, (0, 0))
            self.roles[name] = (max(octets, private_octets(pid)), max(count, descriptors(pid)))

    def beyond(self, before):
        """Texts: who has more than it had. (A role that was not there then has no bound.)"""
        return [f"{name}: {octets} octets, {count} descriptors; after the warm-up {was}"
                for name, (octets, count) in self.roles.items()
                for was in [before.roles.get(name, (octets, count))]
                if octets > was[0] * 1.05 + MORE_OCTETS or count > was[1] + MORE_DESCRIPTORS]


def load(scene, ledger, rng):
    return MixedLoad(scene.port, ledger, connections=4, rcpts=scene.rcpts, sizes=SIZES,
                     seed=rng.randrange(10**9), pace=0.05)


def pause(scene, ledger, acts):
    """All that is queued goes out, and the ledger is asked; then its mail goes, for the disk is small."""
    scene.sink.refusing = scene.sink.hanging_up = None
    scene.changed = {}
    scene.tables.write_text("team: ann\n", encoding="utf-8")
    scene.rewrite()
    if scene.build != BUILD or "reload" not in scene.has:
        scene.stop(seconds=60)
        scene.build = BUILD
        scene.start()
    else:
        wait_for(lambda: scene.cli("reload", check=False).returncode == 0, "a reload", 60)
    if "queue release" in scene.has:
        scene.cli("queue", "release", "--all", check=False)
    wait_for(lambda: queue_is_empty(scene), lambda: f"an empty queue\n{scene.log_tail()}", 120, poll=0.2)
    wrong = ledger.problems(scene, acts.crashes, scene.rcpt_mailbox) + scene.complaints()
    assert not wrong, "\n".join(map(str, wrong[:20]))
    copies = ledger.copies(scene)
    for path in scene.mails():
        path.unlink()
    scene.log_path.write_bytes(b"")  # it is open for appending
    return copies


def chapter(scene, acts, events, rng):
    """Load and events, then a pause; returns what it was in figures."""
    ledger = Ledger()
    acts.crashes = 0
    with load(scene, ledger, rng):
        for event in events:
            print(event, flush=True)
            time.sleep(event.wait)
            acts.do(event, _source(event))
    copies = pause(scene, ledger, acts)
    print(f"{ledger.kept()} kept, {acts.crashes} crashes, {copies} duplicates, "
          f"clients heard {dict(ledger.failures)}", flush=True)
    return ledger.kept()


def _source(event):
    return random.Random(event.seed)


def assert_back(scene, before):
    """What the last reload has left behind goes when the last that uses it goes: it may take a moment."""
    wait_for(lambda: not Use(scene).beyond(before),
             lambda: f"memory and descriptors to be as before: {Use(scene).beyond(before)}", 30, poll=0.5)


def calm(scene, acts, rng, seconds):
    """Only load: what grows now would grow for ever."""
    ledger = Ledger()
    with load(scene, ledger, rng):
        time.sleep(seconds)
    pause(scene, ledger, acts)


def test_chaos(scene, rng):
    end = time.monotonic() + MINUTES * 60
    acts = Acts(scene)
    scene.start()
    calm(scene, acts, rng, 5 + MINUTES)
    time.sleep(1)
    baseline = Use(scene)
    kept = chapters = 0
    while chapters == 0 or time.monotonic() < end:
        chapters += 1
        kept += chapter(scene, acts, plan.make(rng, CHAPTER, scene.has), rng)
        assert_back(scene, baseline)
    calm(scene, acts, rng, 2 + 2 * MINUTES)
    assert_back(scene, baseline)
    scene.stop()
    print(f"{chapters} chapters of {CHAPTER} events, {kept} messages kept, nothing lost")
