"""KILL-1, KILL-2, KILL-3: SIGKILL anywhere loses nothing that was answered 250.

The ledger (harness/ledger.py) is the oracle. Rounds are printed.
"""

import subprocess
import time

import pytest

from harness import Ledger, Load, wait_for

ROLES = ("control", "deliver", "edge", "logger", "spool", "state", "store", "vault", "writer")
KEEPERS = ("spool", "deliver", "writer", "edge")  # who can lose mail: killed more often
OPTIONS = {"retry_first": 1, "retry_most": 1, "max_connections_client": 200}


def settle(server, ledger, crashes, seconds=90):
    """Let everything be delivered, then ask the ledger."""
    def empty():
        done = server.cli("queue", "list", "--json", check=False)
        return done.returncode == 0 and '"id"' not in done.stdout
    wait_for(empty, lambda: f"an empty queue\n{server.log_tail()}", seconds, poll=0.1)
    wrong = ledger.problems(server, crashes)
    assert not wrong, "\n".join(wrong[:20])
    print(f"{ledger.kept()} kept, {crashes} kills, {ledger.copies(server)} duplicates, "
          f"failures seen by clients {dict(ledger.failures)}")


def test_any_role_at_any_time(new_server, rng, rounds):
    """KILL-2: one role at random, now and then all of them at once."""
    server = new_server(options=OPTIONS).start()
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
    settle(server, ledger, crashes)


# Calls by which the keepers change what is on the disk, or tell a neighbour that it is there.
POINTS = [
    ("spool", "pwrite64"), ("spool", "fdatasync"), ("spool", "sendmsg"),
    ("spool", "recvmmsg"), ("spool", "unlink"), ("deliver", "openat"), ("deliver", "writev"),
    ("deliver", "renameat"), ("deliver", "syncfs"), ("deliver", "sendmsg"), ("writer", "write"),
    ("writer", "fsync"), ("writer", "renameat2"), ("writer", "sendmsg"),
]


class KillAt:
    """strace that kills the role's first process before its <when>-th such call from now on."""

    def __init__(self, server, role, call, when):
        wait_for(lambda: server.pids(role), f"{role} to be there", 10)
        self.server, self.role = server, role
        self.pid = server.pids(role)[0]
        self.strace = subprocess.Popen(
            ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
             "-e", f"inject={call}:signal=KILL:when={when}", "-p", str(self.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.killed() or self.attached(), "strace to attach", 5)

    def killed(self):
        return self.pid not in self.server.pids(self.role)

    def attached(self):
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
                return "TracerPid:\t0\n" not in status.read()
        except OSError:
            return False  # gone in between: killed() tells

    def end(self):
        self.strace.terminate()
        self.strace.wait(10)


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
        point = KillAt(server, role, call, when)
        with Load(server.port, ledger, connections=3, seed=rng.randrange(10**6), most=12):
            pass
        crashes += point.killed()
        point.end()
    assert crashes > 0, "no point was reached"
    settle(server, ledger, crashes)

