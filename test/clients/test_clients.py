"""What real clients send is what lies in the Maildir, byte for byte below the documented fields."""

import os
import signal

import pytest

from clients.senders import APPENDED, SENDERS, Job, command, run
from harness import strip_added
from harness.mail import wire_form


def able(*unable):
    """All clients but those that have no way to do it."""
    return [name for name in SENDERS if name not in unable]


LIMIT = 50 * 1024 * 1024  # message_size by default: octets with CR LF
HUNDRED = ["user@example.org", *(f"{n}user@example.org" for n in range(2, 101))]
UTF8_USER = "grå@example.org"

HEADER = b"From: sender@example.net\nTo: alice@example.org\nSubject: a test\n"
DATE = b"Date: Tue, 1 Jul 2003 10:52:37 +0200\n"
PLAIN = HEADER + DATE + b"\nThe first line.\n.\n..two dots\n.dot\n\nThe last one.\n"
EIGHT_BIT = HEADER + DATE + b"\nutf-8 gr\xc3\xa5, latin-1 gr\xe5, \x80\xff\n"
UTF8_HEADER = HEADER + "Comments: grå\n".encode() + DATE + b"\nbody\n"


def message_of(size):
    """A message whose form with CR LF has exactly `size` octets."""
    line = b"x" * 98 + b"\n"
    head = HEADER + DATE + b"\n"
    left = size - len(wire_form(head))
    full, rest = divmod(left, 100)
    if rest == 1:  # no line has one octet
        full, rest = full - 1, 101
    text = head + line * full + (b"y" * (rest - 2) + b"\n" if rest else b"")
    assert len(wire_form(text)) == size
    return text


@pytest.fixture
def send(tmp_path):
    def one(client, server, text, rcpts, **how):
        path = tmp_path / "message"
        path.write_bytes(text)
        return SENDERS[client](server, Job(rcpts, path, **how))
    return one


def delivered(server, rcpt):
    """The one message in this mailbox: the added fields, and what was sent."""
    path, = server.wait_delivered(1, rcpt)
    return strip_added(path.read_bytes())


@pytest.mark.parametrize("client", able())
@pytest.mark.parametrize("text", [PLAIN, EIGHT_BIT, HEADER + b"\nno date\n"],
                         ids=["plain", "8bit", "no-date"])
def test_content_arrives_as_it_was_sent(server, send, client, text):
    outcome = send(client, server, text, ["alice@example.org"])
    assert outcome.taken, outcome.said
    values, content = delivered(server, "alice@example.org")
    assert content == text + APPENDED.get(client, b"")
    assert values["Return-Path"] == "<sender@example.net>"
    assert values["Delivered-To"] == values["X-Original-To"] == "alice@example.org"
    assert "for <alice@example.org>" in values["Received"]


@pytest.mark.parametrize("client", able("smtp_source", "swaks"))
def test_an_empty_message_is_a_message(server, send, client):
    outcome = send(client, server, b"", ["alice@example.org"])
    assert outcome.taken, outcome.said
    # some clients cannot send nothing: they end an empty message with an empty line
    assert delivered(server, "alice@example.org")[1] in (b"", b"\n")


@pytest.mark.parametrize("client", able("smtp_source", "nodemailer"))
def test_the_null_sender_may_write(server, send, client):
    outcome = send(client, server, PLAIN, ["alice@example.org"], sender="")
    assert outcome.taken, outcome.said
    assert delivered(server, "alice@example.org")[0]["Return-Path"] == "<>"


@pytest.mark.parametrize("client", able())
def test_a_message_as_large_as_may_be_is_kept(server, send, client):
    text = message_of(LIMIT - len(wire_form(APPENDED.get(client, b""))))
    outcome = send(client, server, text, ["alice@example.org"])
    assert outcome.taken, outcome.said
    assert delivered(server, "alice@example.org")[1] == text + APPENDED.get(client, b"")


@pytest.mark.parametrize("client", able())
def test_one_octet_more_is_refused(server, send, client):
    outcome = send(client, server, message_of(LIMIT + 1), ["alice@example.org"])
    assert not outcome.taken, outcome.said
    if client != "curl":  # which keeps the reply to itself
        assert "552" in outcome.said and "5.3.4" in outcome.said, outcome.said
    assert not server.mails()
    assert server.deliver("alice@example.org", b"Subject: after it\r\n\r\n").code == 250


@pytest.mark.parametrize("client", able())
def test_a_hundred_recipients_get_a_copy_each(new_server, send, client):
    server = new_server(accounts=HUNDRED).start()
    outcome = send(client, server, PLAIN, HUNDRED)
    assert outcome.taken, outcome.said
    server.wait_delivered(len(HUNDRED))
    for rcpt in HUNDRED:
        values, content = delivered(server, rcpt)
        assert content == PLAIN + APPENDED.get(client, b"")
        assert values["Delivered-To"] == values["X-Original-To"] == rcpt
        assert " for " not in values["Received"], "the others are nobody's business"


@pytest.mark.parametrize("client", able("smtp_source", "swaks", "bdat"))
def test_addresses_in_utf8(new_server, send, client):
    server = new_server(accounts=[UTF8_USER]).start()
    outcome = send(client, server, UTF8_HEADER, [UTF8_USER], sender="blåbær@example.net")
    assert outcome.taken, outcome.said
    values, content = delivered(server, UTF8_USER)
    assert content == UTF8_HEADER
    assert values["Return-Path"] == "<blåbær@example.net>"
    assert values["Delivered-To"] == UTF8_USER
    assert "UTF8SMTP" in values["Received"]  # RFC 6531 §4.3


@pytest.mark.parametrize("client", able("smtp_source", "swaks", "curl", "bdat"))
def test_dsn_parameters_are_taken(server, send, client):
    dsn = {"envid": "QQ314159", "ret": "HDRS", "notify": "SUCCESS,FAILURE"}
    outcome = send(client, server, PLAIN, ["alice@example.org"], dsn=dsn)
    assert outcome.taken, outcome.said
    assert delivered(server, "alice@example.org")[1] == PLAIN


def test_a_hundred_whole_bodies_at_once(new_server):
    """What one loop turn brings waits for spool; nobody is sent away with it."""
    server = new_server(options={"edges": 1, "max_connections_client": 200}).start()
    outcome = run([command("smtp-source"), "-s", 100, "-m", 400, "-l", 58000, "-f", "s@example.net",
                   "-t", "alice@example.org", f"{server.host}:{server.port}"])
    assert outcome.taken, outcome.said
    server.wait_delivered(400, "alice@example.org", seconds=30)


def test_many_large_mails_while_delivers_are_behind(server):
    """More bodies' descriptors on their way than a process has open of itself."""
    delivers = server.pids("deliver")
    for pid in delivers:
        os.kill(pid, signal.SIGSTOP)
    outcome = run([command("smtp-source"), "-s", 20, "-m", 700, "-l", 70000, "-f", "s@example.net",
                   "-t", "alice@example.org", f"{server.host}:{server.port}"])
    for pid in delivers:
        os.kill(pid, signal.SIGCONT)
    assert outcome.taken, outcome.said
    server.wait_delivered(700, "alice@example.org", seconds=30)


def test_many_sessions_of_smtp_source(server, send):
    """Its own load: 20 sessions, 400 messages with a recipient each."""
    outcome = run([command("smtp-source"), "-s", 20, "-m", 400, "-l", 4096, "-f", "s@example.net",
                   "-t", "alice@example.org", f"{server.host}:{server.port}"])
    assert outcome.taken, outcome.said
    server.wait_delivered(400, "alice@example.org", seconds=30)
