"""KILL-1 to KILL-3 and PWR-1 for mail that goes on by LMTP: what was answered 250 is at the other
server, which keeps before it answers, at least once. The ledger (harness/ledger.py) is the oracle."""

import tempfile
import time

import pytest

from harness import Inject, Ledger, Load, LoopDisk, Server, wait_for
from harness.sink import Sink

OPTIONS = {"retry_first": 1, "retry_most": 1, "max_connections_client": 200, "lmtp_connect": 5,
           "lmtp_wait": 5, "lmtp_wait_end": 5}
VICTIMS = ("spool", "remote", "remote", "remote", "edge", "writer", "vault")
SIZES = (200, 4096, 4096, 100000)


class LmtpServer(Server):
    """Its only domain's mail goes to `sink`."""

    def __init__(self, sink, **how):
        self.sink = sink
        super().__init__(
            domains={"example.org": f'deliver = "lmtp:127.0.0.1:{sink.port}"'}, **how)

    def mails(self, address=None):
        return self.sink.mails()

    def mailbox_of(self, path):
        return f"{path.parts[-3]}@{path.parts[-4]}"


@pytest.fixture
def sink(request):
    with tempfile.TemporaryDirectory(prefix="sekisho-sink-") as folder:
        made = Sink(folder)
        yield made
        made.close()


def load(server, ledger, rng, **how):
    return Load(server.port, ledger, seed=rng.randrange(10**6), sizes=SIZES, **how)


def settle(server, ledger, crashes):
    ledger.settle(server, crashes)
    print(f"{ledger.kept()} kept, {crashes} crashes, {ledger.copies(server)} duplicates, "
          f"clients heard {dict(ledger.failures)}")


def test_any_role_at_any_time(sink, new_server, rng, rounds):
    """KILL-2, and KILL-3 as each recovers under load; now and then the other server hangs up."""
    server = new_server(kind=LmtpServer, sink=sink, options=OPTIONS).start()
    ledger = Ledger()
    crashes = 0
    with load(server, ledger, rng, connections=4):
        for _ in rounds(25):
            time.sleep(rng.uniform(0, 0.15))
            crashes += 1
            if rng.random() < 0.08:
                server.kill()
                server.start()
                continue
            sink.hanging_up = rng.choice((None, None, "before", "after"))
            role = rng.choice(VICTIMS)
            if server.pids(role):
                server.wait_replaced(role, server.kill_role(role))
            sink.hanging_up = None
    settle(server, ledger, crashes)


# Where remote speaks with the other server, reads a body from its file, or reports to spool;
# where spool hands out, and makes the result durable.
POINTS = (("remote", "write"), ("remote", "read"), ("remote", "pread64"), ("remote", "sendmsg"),
          ("remote", "recvmmsg"), ("spool", "sendmsg"), ("spool", "pwrite64"), ("spool", "fdatasync"))


@pytest.mark.needs_tool("strace")
@pytest.mark.needs_root("strace attaches to roles of other uids")
@pytest.mark.parametrize("role,call", POINTS, ids=[f"{r}-{c}" for r, c in POINTS])
def test_before_the_nth_call(sink, new_server, rng, rounds, role, call):
    """KILL-1 (and, as the replacement recovers under load, KILL-3)."""
    server = new_server(kind=LmtpServer, sink=sink, options=OPTIONS).start()
    ledger = Ledger()
    crashes = 0
    for n in rounds(3):
        old = wait_for(lambda: server.pids(role), f"{role} to be there", 20)[0]
        with Inject(old, call, "signal=KILL", n + 1 if n < 2 else rng.randrange(4, 40)), \
                load(server, ledger, rng, connections=3, most=8) as some:
            some.wait_all()
        crashes += old not in server.pids(role)
    assert crashes > 0, "no point was reached"
    settle(server, ledger, crashes)


@pytest.fixture
def disk(request):
    made = LoopDisk(mib=256)
    request.addfinalizer(made.remove)
    return made


def test_cut_right_after_a_250(disk, sink, new_server, rng, rounds):
    """PWR-1: the queue's disk loses its power, the other server is another machine."""
    server = new_server(kind=LmtpServer, sink=sink, options=OPTIONS, data_dir=disk.path / "data")
    ledger = Ledger()
    cuts = 0
    for _ in rounds(12):
        server.start()
        with load(server, ledger, rng, connections=4) as stream:
            stream.wait_kept(rng.randrange(1, 12))
            ledger.power(on=False)
            disk.cut()
            stream.stopping.set()
            server.kill()
        disk.power_on()
        ledger.power(on=True)
        cuts += 1
    server.start()
    settle(server, ledger, cuts)
    server.stop()
