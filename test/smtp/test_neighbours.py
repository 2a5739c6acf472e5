"""A neighbour that is gone costs what needs it a 4xx; sessions go on, and so does the server."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import wait_for

MAIL = "MAIL FROM:<u@r.example>"
RCPT = "RCPT TO:<alice@example.org>"
LONG = b"Subject: long\r\n\r\n" + (b"x" * 998 + b"\r\n") * 300


@pytest.fixture
def client(server):
    with server.smtp() as one:
        one.hello()
        yield one


def accepts(client):
    """The session takes a message again, as soon as the neighbour is back."""
    def try_one():
        assert client.cmd("RSET").code == 250
        for line in (MAIL, RCPT):
            reply = client.cmd(line)
            assert reply.code in (250, 451), str(reply)
            if reply.code != 250:
                return False
        return client.data(b"Subject: after\r\n\r\nx\r\n").code == 250
    wait_for(try_one, "a message to be taken again", poll=0.1)


def kill_after_stop(server, role, do):
    """What `do` asks of the role stays unanswered; then the role dies."""
    pids = server.pids(role)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    do()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_vault_dies_while_it_is_asked(server, client):
    assert client.cmd(MAIL).code == 250
    kill_after_stop(server, "vault", lambda: client.send(RCPT.encode() + b"\r\n"))
    assert client.expect(451).dsn == "4.3.0"
    accepts(client)


def test_spool_dies_with_a_commit_in_flight(server, client):
    client.envelope("u@r.example", "alice@example.org")
    assert client.cmd("DATA").code == 354
    kill_after_stop(server, "spool", lambda: client.send(b"x\r\n.\r\n"))
    assert client.expect(451).dsn == "4.3.0"
    accepts(client)


def test_writer_dies_with_half_a_body(server, client):
    client.envelope("u@r.example", "alice@example.org")
    assert client.cmd("DATA").code == 354
    kill_after_stop(server, "writer", lambda: client.send(LONG[:200000]))
    client.send(LONG[200000:] + b".\r\n")
    assert client.expect(451).dsn == "4.3.0"
    wait_for(lambda: len(server.pids("writer")) == 2, "the writers to be back")

    def try_one():
        client.envelope("u@r.example", "alice@example.org")
        return client.data(LONG).code == 250
    wait_for(try_one, "a long message to be taken again", poll=0.1)
    assert server.wait_delivered(1)[0].read_bytes().endswith(LONG.replace(b"\r\n", b"\n"))


def test_state_dies_and_counts_again(new_server):
    server = new_server(options={"max_connections_client": 3}).start()
    same = {"source": "127.0.0.4"}
    with server.smtp(**same) as one, server.smtp(**same) as two:
        one.hello()
        two.hello()
        old = server.kill_role("state")
        server.wait_replaced("state", old)
        assert one.cmd("NOOP").code == 250
        assert two.cmd("NOOP").code == 250

        def codes():
            """Two are counted still: one more is welcome, a second one is not."""
            with server.smtp(**same) as three, server.smtp(**same) as four:
                return [three.reply().code, four.reply().code]
        wait_for(lambda: sorted(codes()) == [220, 421], "the two to be counted again", poll=0.2)


def test_decisions_wait_for_the_store(server, client):
    """A store that is away for a moment loses no decision."""
    old = server.kill_role("store")
    ids = []
    for _ in range(5):
        client.envelope("u@r.example", "alice@example.org")
        ids.append(client.data(b"x\r\n").lines[0].split()[-1])
    server.wait_replaced("store", old)
    for one in ids:
        wait_for(lambda one=one: "kept" in server.cli("explain", one, check=False).stdout,
                 f"the decision about {one}")


# ---- descriptors, draining ----

def status(pid, key):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(line.split()[1] for line in lines if line.startswith(key + ":"))


@pytest.mark.needs_root("limits of another process are set")
@pytest.mark.needs_tool("prlimit")
def test_out_of_descriptors_clients_are_told(new_server):
    server = new_server(options={"edges": 1, "max_connections_client": 1000}).start()
    pid = server.pids("edge")[0]
    used = len(os.listdir(f"/proc/{pid}/fd"))
    # only who has its uid and gid may
    subprocess.run(["prlimit", f"--nofile={used + 5}:{used + 5}", "--pid", str(pid)],
                   user=int(status(pid, "Uid")), group=int(status(pid, "Gid")), extra_groups=[],
                   check=True)
    held = [server.smtp() for _ in range(20)]
    try:
        codes = [one.reply().code for one in held]
        assert codes.count(220) >= 4 and codes.count(421) >= 10
        assert set(codes) == {220, 421}
        assert server.wait_log(event="connections_refused")
        assert held[0].cmd("NOOP").code == 250
    finally:
        for one in held:
            one.close()
    wait_for(server.greets, "a place to be free again")


def test_draining(server, client):
    """An idle session ends at once, one with a message may finish it."""
    with server.smtp() as idle:
        idle.hello()
        client.envelope("u@r.example", "alice@example.org")
        assert client.cmd("DATA").code == 354
        server.process.send_signal(signal.SIGTERM)
        assert idle.expect(421).dsn == "4.3.2"
        assert idle.closed()
        client.send(b"x\r\n.\r\n")
        client.expect(250)
        client.expect(421)
        assert client.closed()
    try:
        assert server.process.wait(20) == 0
    except subprocess.TimeoutExpired:
        pytest.fail("it does not end")
    server.process = None
    server.start()
    server.wait_delivered(1)
