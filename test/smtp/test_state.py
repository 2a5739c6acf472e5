"""What may be said when: STATE-01 to STATE-03, PIPE-01. One failure leaves nothing behind."""

import pytest

MAIL = "MAIL FROM:<u@r.example>"
RCPT = "RCPT TO:<alice@example.org>"
SIDE = [("NOOP \u00e9", 250), ("VRFY \u00e9@x", 252), ("HELP x", 214), ("ETRN x", 502),
        ("EXPN y", 502), ("TURN", 502), ("AUTH PLAIN", 502), ("STARTTLS", 502), ("FOO", 502)]


@pytest.fixture
def client(server):
    with server.smtp() as one:
        one.hello()
        yield one


def say(client, *rows):
    for line, code in rows:
        reply = client.cmd(line)
        assert reply.code == code, f"{line}: {reply}"


def test_bad_bdat_ends_the_session(client):
    """STATE-01: nobody knows where the next command starts."""
    say(client, (MAIL, 250), (RCPT, 250))
    client.send(b"BDAT x\r\nDATA\r\n")
    client.expect(501)
    assert client.closed()


def test_failed_bdat_leaves_no_transaction(server):
    server.stop()
    server.write_conf({"message_size": 65536}, {"example.org": ""})
    server.start()
    with server.smtp() as client:
        client.hello()
        say(client, (MAIL, 250), (RCPT, 250))
        client.send(b"BDAT 5\r\nabcde")
        client.expect(250)
        client.send(b"BDAT 65536\r\n" + b"x" * 65536)
        client.expect(552)
        say(client, (RCPT, 503), ("DATA", 503))
        client.send(b"BDAT 3 LAST\r\nabc")
        client.expect(503)
        say(client, (MAIL, 250), (RCPT, 250))
        client.send(b"BDAT 4 LAST\r\nkept")
        client.expect(250)
        client.quit()
    assert server.wait_delivered(1, "alice@example.org")[0].read_bytes().endswith(b"\nkept")


def test_refused_message_leaves_no_transaction(server):
    """STATE-02: after a refusal at the end of data everything is asked again."""
    with server.smtp() as client:
        client.hello()
        say(client, (MAIL, 250), (RCPT, 250), ("DATA", 354))
        client.send(b"Delivered-To: alice@example.org\r\n\r\nx\r\n.\r\n")
        reply = client.expect(554)
        assert reply.dsn == "5.4.6"
        say(client, (RCPT, 503), ("DATA", 503), (MAIL, 250), ("RCPT TO:<u@r.example>", 554),
            ("DATA", 554), (RCPT, 503), (MAIL, 250), (RCPT, 250), ("DATA", 354))
        client.send(b"Delivered-To: bob@example.org\r\n\r\nx\r\n.\r\n")
        client.expect(250)
        client.quit()
    server.wait_delivered(1)


def test_side_commands_touch_no_transaction(server):
    """STATE-03"""
    with server.smtp() as client:
        client.hello()
        say(client, *SIDE, (MAIL, 250))
        say(client, *SIDE[:4], (RCPT, 250), *SIDE[:3])
        client.send(b"BDAT 3\r\none")
        client.expect(250)
        say(client, *SIDE[:3])
        client.send(b"BDAT 3 LAST\r\ntwo")
        client.expect(250)
        client.quit()
    assert server.wait_delivered(1)[0].read_bytes().endswith(b"\nonetwo")


def test_order_of_commands(client):
    say(client, (RCPT, 503), ("DATA", 503), (MAIL, 250), (MAIL, 503), ("DATA", 503), (MAIL, 250),
        (RCPT, 250), (MAIL, 503), ("RSET", 250), (RCPT, 503), (MAIL, 250),
        ("EHLO again.example", 250), (RCPT, 503))


def test_mail_before_hello(server):
    with server.smtp() as client:
        client.expect(220)
        say(client, (MAIL, 503), ("RSET", 250), ("HELO x", 250), (MAIL, 250))


@pytest.mark.parametrize("before, octets", [
    ([], b"EHLO x\r\nMAIL FROM:<>\r\n"),
    ([], b"HELO x\r\nNOOP\r\n"),
    (["EHLO x", MAIL, RCPT], b"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"),
    (["EHLO x", MAIL, RCPT], b"BDAT 1 LAST\r\nxMAIL FROM:<>\r\n"),
])
def test_speaking_behind_a_sync_point_ends_the_session(server, before, octets):
    """PIPE-01"""
    with server.smtp() as client:
        client.expect(220)
        say(client, *[(line, 250) for line in before])
        client.send(octets)
        reply = client.expect(554)
        assert reply.dsn == "5.5.0"
        assert client.closed()
    assert server.wait_log(event="disconnect", reason="unsynchronized")
    assert not server.mails()


def test_speaking_before_the_greeting_ends_the_session(server):
    """Whoever is faster than our processes among themselves: held up here, so that it is sure."""
    import os
    import signal
    pid = server.pids("state")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        with server.smtp() as client:
            client.send(b"EHLO x\r\n")
            client.expect(554)
            assert client.closed()
    finally:
        os.kill(pid, signal.SIGCONT)


def test_legal_pipelining(server):
    """RFC 2920 §3.1: envelopes in one group, the next one behind the final dot."""
    with server.smtp() as client:
        client.hello()
        client.send(f"RSET\r\n{MAIL}\r\n{RCPT}\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n".encode())
        for code in (250, 250, 250, 250, 354):
            client.expect(code)
        client.send(f"one\r\n.\r\n{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode())
        for code in (250, 250, 250, 354):
            client.expect(code)
        client.send(b"two\r\n.\r\nQUIT\r\n")
        client.expect(250)
        client.expect(221)
        assert client.closed()
    server.wait_delivered(3)


@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "POST /x", "CONNECT a:25", "Subject: hello",
                                  "From:<x>"])
def test_web_clients_and_headers_are_sent_away(server, line):
    with server.smtp() as client:
        client.hello()
        reply = client.cmd(line)
        assert (reply.code, reply.dsn) == (221, "2.7.0")
        assert client.closed()
