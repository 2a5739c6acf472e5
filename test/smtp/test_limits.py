"""Each limit has its reply, and costs nobody else: LINE-01, DISC-01, DISC-02, SLOW-01."""

import socket
import time
from pathlib import Path

import pytest

from harness import Raw, wait_for

MAIL = "MAIL FROM:<u@r.example>"
RCPT = "RCPT TO:<alice@example.org>"


def conf(new_server, **options):
    return new_server(options=options).start()


def rss_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


# ---- LINE-01 ----

@pytest.mark.parametrize("octets, code", [(2047, 250), (2048, 250), (2049, 500), (65536, 500)])
def test_command_lines(server, octets, code):
    with server.smtp() as client:
        client.hello()
        reply = client.cmd("NOOP " + "x" * (octets - 7))
        assert reply.code == code
        assert client.cmd("NOOP").code == 250


def test_content_lines_of_any_length_are_kept(server):
    lines = [b"x" * n for n in (0, 1, 997, 998, 999, 1000, 1001, 2047, 2048, 2049, 65536, 1 << 20)]
    server.deliver("alice@example.org", b"Subject: long\r\n\r\n" + b"\r\n".join(lines) + b"\r\n")
    kept = server.wait_delivered(1)[0].read_bytes()
    assert kept.endswith(b"Subject: long\n\n" + b"\n".join(lines) + b"\n")


def test_nul_in_a_command_is_500(server):
    line = MAIL.encode()
    for at in range(0, len(line) + 1, 3):
        with server.smtp() as client:
            client.hello()
            assert client.cmd(line[:at] + b"\0" + line[at:]).code == 500


def test_nul_in_content_is_kept(server):
    server.deliver("alice@example.org", b"\0a\0\r\n\0\r\n")
    assert server.wait_delivered(1)[0].read_bytes().endswith(b"\n\0a\0\n\0\n")


def test_bare_lf_ends_no_command(server):
    with server.smtp() as client:
        client.hello()
        client.send(b"NOOP\n")
        client.expect(500)
        assert client.closed()


# ---- DISC-01, DISC-02 ----

def test_endless_line_is_not_read_for_ever(server):
    with server.smtp() as client:
        client.hello()
        try:
            for _ in range(64):
                client.send(b"x" * 4096)
        except (BrokenPipeError, ConnectionResetError):
            pass
        client.expect(421)
        assert client.closed()


@pytest.mark.needs_release("it looks at memory, and a sanitizer keeps what is freed")
def test_tiny_commands_grow_nothing(new_server):
    server = conf(new_server, edges=1, smtp_max_junk=100000, smtp_max_errors=1000)
    pid = server.pids("edge")[0]
    with server.smtp() as client:
        client.hello()
        client.envelope("u@r.example", "alice@example.org")

        def many(command, times):
            for _ in range(times // 100):
                client.send(command * 100)
                for _ in range(100):
                    client.expect(250)
        many(b"BDAT 1\r\nx", 1000)
        before = rss_kib(pid)
        many(b"BDAT 1\r\nx", 5000)
        many(b"NOOP\r\n", 20000)
        many(b"RSET\r\n", 20000)
        assert rss_kib(pid) - before < 200


def test_junk_and_errors_end_the_session(new_server):
    server = conf(new_server, smtp_max_junk=5, smtp_max_errors=3)
    with server.smtp() as client:
        client.hello()
        for _ in range(4):
            assert client.cmd("NOOP").code == 250
        assert client.cmd("FOO").code == 502
        assert client.cmd("NOOP").code == 250
        assert client.cmd("NOOP").code == 250
        client.expect(421)
        assert client.closed()
    assert server.wait_log(event="disconnect", reason="too_many_errors")


def test_message_size(new_server):
    server = conf(new_server, message_size=70000)
    with server.smtp() as client:
        assert "SIZE 70000" in client.hello().lines
        assert client.cmd(MAIL + " SIZE=70001").code == 552
        assert client.cmd(MAIL + " SIZE=70000").code == 250
        assert client.cmd(RCPT).code == 250
        assert client.data(b"x" * 69999 + b"\r\n").code == 552
        client.envelope("u@r.example", "alice@example.org")
        assert client.data(b"x" * 69998 + b"\r\n").code == 250
        client.envelope("u@r.example", "alice@example.org")
        assert client.cmd("DATA").code == 354
        try:
            for _ in range(100):
                client.send(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        client.expect(552)
    server.wait_delivered(1)


def test_recipients_and_messages(new_server):
    server = conf(new_server, smtp_max_rcpt=100, smtp_max_session=1)
    with server.smtp() as client:
        client.hello()
        client.envelope("u@r.example", ["alice@example.org", "bob@example.org"] * 50)
        reply = client.cmd(RCPT)
        assert (reply.code, reply.dsn) == (452, "4.5.3")
        assert client.data(b"x\r\n").code == 250
        assert client.cmd(MAIL).code == 421
        assert client.closed()
    server.wait_delivered(2)  # one copy a mailbox, whatever leads to it


def test_connections_of_one_client(new_server):
    server = conf(new_server, max_connections_client=2)
    same = {"source": "127.0.0.3"}
    with server.smtp(**same) as one, server.smtp(**same) as two:
        one.hello()
        two.hello()
        with server.smtp(**same) as three:
            assert three.expect(421).dsn == "4.7.0"
            assert three.closed()
        with server.smtp(source="127.0.0.2") as other:
            other.hello()

    def welcome():
        with server.smtp(**same) as again:
            return again.reply().code == 220
    wait_for(welcome, "the place to be free again")


def test_an_alias_of_a_hundred(new_server):
    """However many an alias leads to: vault's walls stand nothing that it needs for that."""
    people = [f"p{i}@example.org" for i in range(100)]
    to = ", ".join(f'"{one}"' for one in people)
    server = new_server(accounts=people,
                        domains={"example.org": f'alias "all" {{ to = {{{to}}} }}'}).start()
    with server.smtp() as client:
        client.hello()
        client.envelope("u@r.example", ["all@example.org"])
        assert client.data(b"x\r\n").code == 250
    server.wait_delivered(100)


def test_a_refused_crowd_that_stays_for_its_reply(new_server):
    """state holds an edge for honest, however many it has to refuse at once."""
    server = conf(new_server, edges=1, max_connections=10)
    crowd = []
    try:
        for _ in range(1500):
            crowd.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
        last = crowd[-1].recv(512)
        assert last.startswith(b"421 ") and b"too many connections" in last
    finally:
        for one in crowd:
            one.close()

    def welcome():
        with server.smtp() as again:
            return again.reply().code == 220
    wait_for(welcome, "a place to be free again")


# ---- SLOW-01 ----

def drip(client, octet, every, seconds):
    """Send an octet now and then; how long until the server had enough."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            client.send(octet)
        except (BrokenPipeError, ConnectionResetError):
            break
        if not client.silent(every):
            break
    return time.monotonic() - began


@pytest.fixture
def hasty(new_server):
    return conf(new_server, smtp_idle=Raw("10s"), smtp_data_grace=Raw("10s"), smtp_data_rate=100)


def test_a_dripping_command_has_a_deadline(hasty):
    with hasty.smtp() as client:
        client.hello()
        assert 8 < drip(client, b"N", 1.0, 20) < 13
        assert client.expect(421).dsn == "4.4.2"
        assert client.closed()
    assert hasty.wait_log(event="disconnect", reason="timeout")


def test_a_dripping_message_has_a_rate(hasty):
    with hasty.smtp() as client:
        client.hello()
        client.envelope("u@r.example", "alice@example.org")
        assert client.cmd("DATA").code == 354
        assert 9 < drip(client, b"x", 0.5, 20) < 14
        assert client.expect(421).dsn == "4.4.2"
        assert client.closed()
    assert hasty.wait_log(event="disconnect", reason="too_slow")
    assert not hasty.mails()


def test_a_silent_client_is_sent_away(hasty):
    with hasty.smtp() as client:
        client.expect(220)
        assert client.expect(421, seconds=15).dsn == "4.4.2"
        assert client.closed()


def test_unread_replies_are_not_kept_for_ever(new_server):
    server = conf(new_server, edges=1, smtp_idle=Raw("10s"), smtp_max_junk=100000)
    with server.smtp() as client:
        client.hello()
        client.sock.settimeout(1)
        try:
            while True:
                client.sock.send(b"HELP\r\n" * 1000)
        except TimeoutError:
            pass  # nobody reads any more: neither we nor the server
        assert server.wait_log(seconds=25, event="disconnect")
        with server.smtp() as other:
            other.hello()
