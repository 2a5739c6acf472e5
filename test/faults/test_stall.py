"""IO-4: the disk stalls. Whoever does not wait for it is served as ever, no 250 comes before its
sync, nobody is replaced for being slow, and nothing is lost."""

import os
import time

import pytest

from harness import Inject, Ledger, Load

pytestmark = [pytest.mark.needs_tool("strace"),
              pytest.mark.needs_root("strace attaches to roles of other uids")]

STALL = float(os.environ.get("SEKISHO_STALL_SECONDS") or 5)
SYNCS = "fsync,fdatasync,syncfs"
KEEPERS = ("spool", "writer", "deliver", "store")  # who syncs
PROMPT = 2.0  # seconds for a whole envelope, on a busy machine


def keepers(server):
    return [pid for role in KEEPERS for pid in server.pids(role)]


def envelope_seconds(server):
    """How long a newcomer takes from connecting to RCPT's reply."""
    begun = time.monotonic()
    with server.smtp() as client:
        client.hello()
        client.envelope("s@example.net", "alice@example.org")
        client.quit()
    return time.monotonic() - begun


def serve_others(server, seconds):
    """The slowest of all envelopes that fit into so long."""
    end = time.monotonic() + seconds
    slowest = 0.0
    while time.monotonic() < end:
        slowest = max(slowest, envelope_seconds(server))
        time.sleep(0.05)
    return slowest


def test_a_stalled_disk_delays_only_what_needs_it(faulty, rng):
    server = faulty()
    family = server.family()
    ledger = Ledger()
    with Load(server.port, ledger, connections=6, seed=rng.randrange(10**6),
              sizes=(200, 4096, 100000)) as load:
        load.wait_kept(5)
        with Inject(keepers(server), SYNCS, f"delay_enter={int(STALL * 1e6)}", "1+"):
            serve_others(server, 0.5)  # the syncs that were under way end
            kept = ledger.kept()
            slowest = serve_others(server, STALL * 0.6)
            assert ledger.kept() <= kept + len(server.pids("spool")), "a 250 that waited for no sync"
            assert server.cli("status").returncode == 0  # what is silent is said to be so
    assert slowest < PROMPT, f"an envelope took {slowest:.1f} s"
    assert server.family() == family, "somebody was replaced for being slow"
    ledger.settle(server, 0)
    assert ledger.copies(server) == 0
    assert set(ledger.failures) <= {421, 451, 452}
    print(f"slowest envelope {slowest:.2f} s in a stall of {STALL:g} s, {ledger.kept()} kept")


@pytest.mark.parametrize("role", KEEPERS)
def test_one_that_stalls_is_waited_for(faulty, role):
    """Each keeper alone: all others go on, and it does when it can."""
    server = faulty(options={"delivers": 1, "writers": 1})
    with Inject(server.pids(role), SYNCS, f"delay_enter={10**6}", "1+"):
        server.deliver("alice@example.org", b"Subject: x\r\n\r\nx\r\n")
        assert serve_others(server, 1) < PROMPT
        with server.smtp(seconds=30) as client:  # a body of writer's
            client.hello()
            client.envelope("s@example.net", "bob@example.org")
            assert client.data(b"Subject: y\r\n\r\n" + (b"y" * 76 + b"\r\n") * 2000).code == 250
    server.wait_delivered(2, seconds=30)
    assert not server.log(event="role_ended")
