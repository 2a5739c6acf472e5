"""KILL-1, KILL-2, KILL-3: SIGKILL anywhere loses nothing that was answered 250.

The ledger (harness/ledger.py) is the oracle. Rounds are printed.
"""

import time

import pytest

from harness import Inject, Ledger, Load, wait_for

ROLES = ("control", "deliver", "edge", "logger", "remote", "spool", "state", "store", "vault", "writer")
KEEPERS = ("spool", "deliver", "writer", "edge")  # who can lose mail: killed more often
OPTIONS = {"retry_first": 1, "retry_most": 1, "max_connections_client": 200}


def report(server, ledger, crashes):
    print(f"{ledger.kept()} kept, {crashes} kills, {ledger.copies(server)} duplicates, "
          f"failures seen by clients {dict(ledger.failures)}")


def test_any_role_at_any_time(new_server, rng, rounds):
    """KILL-2: one role at random, now and then all of them at once."""
    server = new_server(
        options=OPTIONS, domains={"example.org": "", "far.example": 'deliver = "lmtp:/nobody"'}).start()
    ledger = Ledger()
    crashes = 0
    with Load(server.port, ledger, connections=6, seed=rng.randrange(10**6)):
        for _ in rounds(100):
            time.sleep(rng.uniform(0, 0.15))
            crashes += 1
            if rng.random() < 0.08:
                server.kill()
                server.start()
                continue
            role = rng.choice(ROLES + KEEPERS * 3)
            pids = server.pids(role)
            if pids:
                old = server.kill_role(role, index=rng.randrange(len(pids)))
                server.wait_replaced(role, old)
    ledger.settle(server, crashes)
    report(server, ledger, crashes)


# Calls by which the keepers change what is on the disk, or tell a neighbour that it is there.
POINTS = [
    ("spool", "pwrite64"), ("spool", "fdatasync"), ("spool", "sendmsg"),
    ("spool", "recvmmsg"), ("spool", "unlink"), ("deliver", "openat"), ("deliver", "writev"),
    ("deliver", "renameat"), ("deliver", "syncfs"), ("deliver", "sendmsg"), ("writer", "write"),
    ("writer", "fsync"), ("writer", "renameat2"), ("writer", "sendmsg"),
]


@pytest.mark.needs_tool("strace")
@pytest.mark.needs_root("strace attaches to roles of other uids")
@pytest.mark.parametrize("role,call", POINTS, ids=[f"{r}-{c}" for r, c in POINTS])
def test_before_the_nth_call(new_server, rng, rounds, role, call):
    """KILL-1 (and, as the replacement recovers under load, KILL-3): before the n-th call of each name."""
    server = new_server(options={**OPTIONS, "delivers": 1, "writers": 1}).start()
    ledger = Ledger()
    crashes = 0
    for n in rounds(6):
        when = n + 1 if n < 4 else rng.randrange(5, 40)
        old = wait_for(lambda: server.pids(role), f"{role} to be there", 10)
        with Inject(old[0], call, "signal=KILL", when), \
                Load(server.port, ledger, connections=3, seed=rng.randrange(10**6), most=12) as load:
            load.wait_all()
        crashes += old[0] not in server.pids(role)
    assert crashes > 0, "no point was reached"
    ledger.settle(server, crashes)
    report(server, ledger, crashes)

