"""DLV-2, IO-1 of deliver, and errors of syncfs: killed or refused at any call, each delivery is
there in the end, whole, once, under a name of its own.

The ledger (harness/ledger.py) is the oracle. Points and rounds are printed.
"""

import os
import threading
import time

import pytest

from harness import FAULTS_BUILD, Inject, Ledger, Load, wait_for

pytestmark = [pytest.mark.needs_tool("strace"),
              pytest.mark.needs_root("strace attaches to roles of other uids")]

OPTIONS = {"retry_first": 1, "retry_most": 1, "delivers": 1}
SIZES = (200, 4096, 100000)

# What deliver does to bring one message home, in order; and the same once more for the next.
CALLS = ("openat", "writev", "close", "renameat", "syncfs", "sendmsg")
KILLS_OF_ONE_SERVER = 5  # then master waits long before it starts another


def delivers(server, count=1):
    """Their pids, once as many run."""
    return wait_for(lambda: len(server.pids("deliver")) == count and server.pids("deliver"),
                    f"{count} delivers to run", 20)


def settle(server, ledger, crashes):
    """Let everything be delivered, then ask the ledger."""
    ledger.settle(server, crashes)
    names = {}
    for path in server.mails():
        octets = names.setdefault(path.name.partition(":")[0], path.read_bytes())
        assert octets == path.read_bytes(), f"a name for two messages: {path}"
    left = [path for path in (server.data_dir / "mail").glob(".tmp-*/*")]
    assert not left, f"left in the temporary folder: {left}"


def load_some(server, ledger, rng, most):
    with Load(server.port, ledger, connections=3, sizes=SIZES, most=most,
              seed=rng.randrange(10**9)) as load:
        load.wait_all()


def load_until(done, server, ledger, rng):
    """Messages, a few at a time, until it has happened."""
    for _ in range(40):
        load_some(server, ledger, rng, 6)
        if done():
            return
    raise AssertionError(f"{ledger.kept()} messages, and it has not happened")


def kill_before(server, ledger, rng, call, when):
    """SIGKILL deliver before its when-th such call, while mail comes; wait for the next one."""
    old = delivers(server)[0]
    with Inject(old, call, "signal=KILL", when):
        load_until(lambda: server.pids("deliver") != [old], server, ledger, rng)
    server.wait_replaced("deliver", old)


class Reader:
    """A mail client that sees everything at once: new/NAME becomes cur/NAME:2,S.

    A second one of that name is kept beside the first, so that it is counted.
    """

    def __init__(self, server):
        self.server = server
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        self.thread.join(10)

    def _run(self):
        while not self.stopping.is_set():
            for path in (self.server.data_dir / "mail").glob("*/*/new/*"):
                seen = path.parent.parent / "cur" / f"{path.name}:2,S"
                try:
                    path.rename(seen.with_name(f"{path.name}:2,RS") if seen.exists() else seen)
                except FileNotFoundError:  # deliver took it back
                    pass
            time.sleep(0.001)


@pytest.mark.parametrize("call", CALLS)
def test_killed_before_the_nth_call(new_server, rng, rounds, call):
    """DLV-2. Nobody reads the mail: then each message is there exactly once."""
    points = 0
    for block in rounds(2):
        server = new_server(options=OPTIONS).start()
        ledger = Ledger()
        for n in range(KILLS_OF_ONE_SERVER):
            kill_before(server, ledger, rng, call, block * KILLS_OF_ONE_SERVER + n + 1)
            points += 1
        settle(server, ledger, KILLS_OF_ONE_SERVER)
        assert ledger.copies(server) == 0
    print(f"deliver was killed {points} times before {call}")


@pytest.mark.parametrize("call", CALLS)
def test_killed_while_mail_is_read_at_once(new_server, rng, call):
    """DLV-2. What a reader has moved to cur/ is found there by the replay.

    A copy more can only come where the reader moves it between the replay's look and its rename.
    """
    server = new_server(options=OPTIONS).start()
    ledger = Ledger()
    with Reader(server):
        for n in range(KILLS_OF_ONE_SERVER):
            kill_before(server, ledger, rng, call, 2 * n + 1)
        settle(server, ledger, KILLS_OF_ONE_SERVER)
    assert ledger.copies(server) <= 1
    print(f"{KILLS_OF_ONE_SERVER} kills before {call}, {ledger.copies(server)} copies more")


@pytest.fixture
def faulty_server(new_server):
    if not (FAULTS_BUILD / "sekisho").exists():
        pytest.skip(f"no build with -Dfaults=true at {FAULTS_BUILD}")

    def make(**options):
        server = new_server(build=FAULTS_BUILD, options={**OPTIONS, **options}).start()
        server.wait_log(event="started")  # a call that fails at a role's start ends it, and should
        return server
    return make


def test_a_failed_syncfs_takes_the_delivery_back(faulty_server):
    """The file that nobody knows to be durable goes; the row stays; a fresh process delivers."""
    server = faulty_server(retry_first=3)
    old = delivers(server)[0]
    with Inject(old, "syncfs", "error=EIO", 1):
        server.deliver("alice@example.org", b"Subject: x\r\n\r\nx\r\n")
        server.wait_log(event="deliver_broken", role="spool")
    broken_at = time.time()
    assert server.mails() == []
    assert '"id"' in server.cli("queue", "list", "--json").stdout
    server.wait_replaced("deliver", old)
    path = server.wait_delivered(1)[0]
    assert os.stat(path).st_ctime > broken_at
    assert path.read_bytes().endswith(b"\nSubject: x\n\nx\n")
    assert f"S={os.stat(path).st_size}" in path.name


def test_a_failed_syncfs_voids_everybodys_batch(faulty_server, rng, rounds):
    """Whoever else has files that are not settled leaves as well: its next syncfs proves nothing."""
    failures = 0
    for block in rounds(2):
        server = faulty_server(delivers=3)
        ledger = Ledger()
        for n in range(KILLS_OF_ONE_SERVER):
            olds = delivers(server, 3)
            with Inject(olds[rng.randrange(3)], "syncfs", "error=EIO",
                        block * KILLS_OF_ONE_SERVER + n + 1):
                load_until(lambda: len(server.log(event="deliver_broken", role="spool")) > n,
                           server, ledger, rng)
            wait_for(lambda: not set(olds) & set(delivers(server, 3)), "fresh processes", 20)
            failures += 1
        settle(server, ledger, failures)
        assert ledger.copies(server) == 0
    print(f"syncfs failed {failures} times")


ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EMFILE", "ENFILE", "EINTR", "EROFS", "EACCES", "ENOMEM",
          "ETIMEDOUT")
FAILING = ("openat", "writev", "close", "renameat", "mkdirat")


@pytest.mark.parametrize("call", FAILING)
def test_each_error_of_a_call_is_a_wait(faulty_server, rng, rounds, call):
    """IO-1, sampled: one call fails; its message waits, all others go on; deliver lives."""
    server = faulty_server()
    ledger = Ledger()
    old = delivers(server)
    tried = 0
    for n in rounds(4):
        with Inject(old[0], call, f"error={rng.choice(ERRORS)}", 1 + n % 3):
            load_some(server, ledger, rng, 10)
            tried += 1
    assert server.pids("deliver") == old
    settle(server, ledger, 0)
    assert ledger.copies(server) == 0
    print(f"{tried} errors of {call}")


@pytest.mark.parametrize("error", ERRORS)
def test_any_error_of_syncfs_is_final(faulty_server, error):
    """IO-1: after any error of a sync no second one is asked of this process."""
    server = faulty_server()
    old = delivers(server)[0]
    with Inject(old, "syncfs", f"error={error}", 1):
        server.deliver("alice@example.org", b"Subject: x\r\n\r\nx\r\n")
        server.wait_replaced("deliver", old)
    server.wait_delivered(1)
