"""Messages and clients that mean no good, and many at once."""

import concurrent.futures
import socket

import pytest
from harness.local import DAEMON, SECTIONS, Local, parts

pytestmark = pytest.mark.needs_root("it calls as other users")


def test_odd_octets_arrive_as_they_are(local, rng):
    body = bytes(rng.choice(b"\0\x01.\n\xff\x80 ab\t") for _ in range(200_000))
    local.call("-i", "alice@example.org", message=b"Subject: s\n\n" + body)
    assert parts(local.one())[1].rstrip(b"\n") == body.rstrip(b"\n")


def test_a_long_body_goes_through_a_file(local, rng):
    line = rng.randbytes(30).hex().encode() + b"\n"
    message = b"Subject: s\n\n" + line * 100_000  # 6 MB
    local.call("alice@example.org", message=message)
    assert parts(local.one())[1] == line * 100_000


def test_one_line_without_an_end(local):
    local.call("alice@example.org", message=b"a" * 5_000_000)
    assert parts(local.one())[1] == b"a" * 5_000_000 + b"\n"


def test_a_header_without_an_end(local):
    for message in (b"X: " + b"a" * 5_000_000, b"X: a\n" * 1_000_000, b"X: a\n" + b" b\n" * 2_000_000):
        _, err = local.call("alice@example.org", message=message, code=65)
        assert "the header is over" in err
    _, err = local.call("-t", message=b"To: " + b"a," * 1_000_000 + b"\n\nx", code=65)
    assert "more than 100000 recipients" in err


def test_a_message_over_the_servers_size(new_server):
    local = Local(new_server(extra=SECTIONS, options={"message_size": "2MiB"}).start())
    _, err = local.call("alice@example.org", message=b"s: t\n\n" + b"a\n" * 2_000_000, code=65)
    assert "552 5.3.4" in err


def test_ten_thousand_recipients_go_in_several_transactions(local):
    """smtp_max_rcpt is 1000: ten transactions, all to one mailbox by its extensions."""
    names = ", ".join(f"alice+{i}@example.org" for i in range(10_000))
    local.call("-t", message=b"Bcc: " + names.encode() + b"\n\nx\n", seconds=120)
    files = local.server.wait_delivered(10, "alice@example.org", seconds=60)
    assert all(b"alice+" not in path.read_bytes().split(b"\nMessage-ID")[1] for path in files)


def test_a_client_that_sits_costs_others_nothing(local):
    """One uid may hold max_connections_client connections; others are served meanwhile."""
    held = []
    for _ in range(60):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(local.socket))
        held.append(sock)
    greetings = [sock.recv(200)[:3] for sock in held]
    assert greetings.count(b"220") == 50 and greetings.count(b"421") == 10
    local.call("alice@example.org", uid=DAEMON)
    local.one()
    for sock in held:
        sock.close()
    local.call("alice@example.org")


def test_many_calls_at_once(local):
    """More than one uid may hold connections: whoever finds no room comes again by itself."""
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        list(pool.map(lambda _: local.call("alice@example.org"), range(300)))
    local.server.wait_delivered(300, "alice@example.org", seconds=60)


def test_what_an_argument_injects_does_nothing(local, tmp_path):
    """PHP's fifth argument of mail(): -X writes a log, -C reads a file, -O sets options."""
    target = tmp_path / "shell.php"
    for words in (["-X", str(target)], [f"-X{target}"], ["-C", "/etc/passwd"], ["-bd"]):
        local.call("-t", "-i", *words, message=b"To: alice@example.org\n\n<?php x", code=64)
    local.call("-t", "-i", "-OQueueDirectory=/tmp", f"-OLogFile={target}",
               message=b"To: alice@example.org\n\nx\n")
    assert not target.exists()
    local.one()


def test_the_envelope_is_not_written_by_an_address(local):
    local.call("-f", "a@x>\r\nRCPT TO:<bob@example.org", "alice@example.org", code=65)
    local.call("-f", "\"a\r\nRCPT TO:<bob@example.org>\"@x", "alice@example.org", code=77)
    _, err = local.call("-V", "a> SIZE=1\r\nRCPT TO:<bob@example.org>", "alice@example.org", code=65)
    assert "501 5.5.4" in err
    local.call("alice@example.org", message=b"s: t\n\n.\r\nQUIT\r\n")
    assert len(local.server.wait_delivered(1)) == 1
