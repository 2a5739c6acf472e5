"""FD-F: no descriptor is to be had. Listeners survive and say so once a second, nothing is lost,
and as soon as there are some again all is as before."""

import resource
import subprocess
import time

import pytest

from harness import Inject, Ledger, Load, wait_for
from harness.smtp import Smtp

pytestmark = [pytest.mark.needs_tool("strace"),
              pytest.mark.needs_root("strace attaches to roles of other uids")]

ERRORS = ("EMFILE", "ENFILE")
FEW = {"edges": 1, "delivers": 1, "writers": 1}
FEW_DESCRIPTORS = 100  # for any process
SECONDS = 2  # that a fault lasts
A_SECOND = 10  # tries of one that cannot; it would be thousands where the loop just turns

# Who makes descriptors while it works, and by which call; recvmmsg brings those of master.
MASTERS = ("socketpair", "memfd_create", "openat", "socket")
MAKERS = (("spool", "openat"), ("writer", "openat"), ("deliver", "openat"))


def greeted(server, seconds=1.0):
    try:
        with Smtp(server.port, server.host, seconds=seconds) as client:
            return client.reply().code == 220
    except (OSError, AssertionError):
        return False


@pytest.mark.parametrize("error", ["EMFILE", "ENOBUFS"])
def test_edge_cannot_accept(faulty, error):
    """Those inside are served, the log has a line a second, and the loop does not turn for nothing."""
    server = faulty(options=FEW)
    edge = server.pids("edge")[0]
    with server.smtp() as inside:
        inside.hello()
        with Inject(edge, "accept4", f"error={error}", "1+") as fault:
            waiting = Smtp(server.port, server.host, seconds=10)
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                assert inside.cmd("NOOP").code == 250
                time.sleep(0.1)
            tries = fault.count
            lines = len(server.log(event="accept_failed", role="edge"))
        assert 1 <= lines <= SECONDS + 2, f"{lines} lines in {SECONDS} s"
        assert tries <= SECONDS * A_SECOND, f"{tries} tries in {SECONDS} s"
        assert waiting.reply().code == 220
        waiting.close()
        inside.envelope("s@example.net", "alice@example.org")
        assert inside.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    assert server.pids("edge") == [edge]
    server.wait_delivered(1)


def test_control_cannot_accept(faulty):
    server = faulty(options=FEW)
    control = server.pids("control")[0]
    with Inject(control, "accept4", "error=EMFILE", "1+") as fault:
        with pytest.raises(subprocess.TimeoutExpired):
            server.cli("status", seconds=SECONDS)
        tries = fault.count
        lines = len(server.log(event="accept_failed", role="control"))
    assert 1 <= lines <= SECONDS + 2, f"{lines} lines in {SECONDS} s"
    assert tries <= SECONDS * A_SECOND, f"{tries} tries in {SECONDS} s"
    assert server.cli("status").returncode == 0
    assert server.pids("control") == [control]


def test_edge_full_to_its_last_descriptor(new_server):
    """Some hear 421, those inside are served, and a neighbour that is replaced just then costs
    nobody a session."""
    server = new_server(options={**FEW, "max_connections_client": 1000},
                        limits={resource.RLIMIT_NOFILE: FEW_DESCRIPTORS}).start()
    edge = server.pids("edge")[0]
    inside = []
    refused = 0
    for _ in range(2 * FEW_DESCRIPTORS):
        client = Smtp(server.port, server.host)
        try:
            reply = client.reply()
            assert reply.code in (220, 421), str(reply)
        except ConnectionError:
            reply = None
        if reply is not None and reply.code == 220:
            inside.append(client)
        else:
            refused += 1
            client.close()
    assert len(inside) >= FEW_DESCRIPTORS // 2 and refused >= FEW_DESCRIPTORS
    server.wait_log(event="connections_refused")
    old = server.kill_role("vault")
    server.wait_replaced("vault", old)
    for client in inside:
        assert client.cmd("EHLO x.example").code == 250
    assert server.pids("edge") == [edge]
    for client in inside:
        client.close()
    wait_for(lambda: greeted(server), "a newcomer to be greeted again", 10)
    wait_for(lambda: _accepts(server), "vault to be heard again", 15)


def _accepts(server):
    with server.smtp() as client:
        client.hello()
        client.cmd("MAIL FROM:<s@example.net>")
        return client.cmd("RCPT TO:<alice@example.org>").code == 250


@pytest.mark.parametrize("role,call", MAKERS, ids=[f"{r}-{c}" for r, c in MAKERS])
def test_the_nth_descriptor_of_a_keeper(faulty, rng, role, call):
    """Each of the first few fails once, then all for a while."""
    server = faulty(options=FEW)
    ledger = Ledger()
    pid = server.pids(role)[0]
    for when in (1, 2, 3, "1+"):
        with Inject(pid, call, f"error={rng.choice(ERRORS)}", when), \
                Load(server.port, ledger, connections=3, most=6, seed=rng.randrange(10**6),
                     sizes=(200, 100000)) as load:
            load.wait_all()
    assert server.pids(role) == [pid]
    ledger.settle(server, 0)
    assert ledger.copies(server) == 0
    print(f"{ledger.kept()} kept, clients heard {dict(ledger.failures)}")


def test_master_has_no_descriptor(faulty, rng, rounds):
    """Roles that die meanwhile, and a reload, are served as soon as it has."""
    server = faulty(options=FEW)
    ledger = Ledger()
    roles = ("spool", "deliver", "vault", "edge")
    kills = 0
    with Load(server.port, ledger, connections=3, seed=rng.randrange(10**6)) as load:
        load.wait_kept(3)
        for n in rounds(4):
            call = MASTERS[n % len(MASTERS)]
            with Inject(server.pids("master"), call, f"error={rng.choice(ERRORS)}",
                        rng.choice((1, 2, 5, "1+"))):
                killed = [server.kill_role(role) for role in roles]
                server.cli("reload", check=False)
                time.sleep(0.3)
            kills += len(killed)
            wait_for(lambda: all(map(server.pids, roles)), "all roles to be back", 30)
            assert not set(killed) & set(server.family())
            load.wait_kept(3)
    server.cli("reload")
    ledger.settle(server, kills)
