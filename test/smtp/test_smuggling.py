"""SMUG-01 over real sockets: a sample of the line ends and splits; the unit test has them all."""

import pytest

ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\0\n", b"\r\n\0", b"\v", b"\f", b"\x85",
        b"\xc2\x85", b"\xe2\x80\xa8", b"\0"]
DOTS = [b"..", b". ", b".\t", b"\xef\xbc\x8e"]
SMUGGLED = (b"MAIL FROM:<smuggled@attack.example>\r\nRCPT TO:<bob@example.org>\r\n"
            b"DATA\r\nsecond\r\n")
TEXT = SMUGGLED.replace(b"\r\n", b"\n")


def vector(a, dot, b):
    return b"Subject: first\r\n\r\npart" + a + dot + b + SMUGGLED + b".\r\n"


# all pairs but the end itself, and the end with a NUL behind it
VECTORS = [vector(a, b".", b) for a in ENDS for b in ENDS
           if (a, b) not in ((b"\r\n", b"\r\n"), (b"\r\n", b"\r\n\0"))]
VECTORS += [vector(b"\r\n", dot, b"\r\n") for dot in DOTS]


@pytest.mark.parametrize("how", ["whole", "cut"])
def test_one_message_stays_one(server, rng, how):
    with server.smtp() as client:
        client.hello()
        for octets in VECTORS:
            client.envelope("u@r.example", "alice@example.org")
            assert client.cmd("DATA").code == 354
            cuts = rng.sample(range(1, len(octets)), 4) if how == "cut" else []
            client.send_split(octets, cuts)
            client.expect(250)
            assert client.cmd("NOOP").code == 250  # and no reply to what was smuggled
            client.cmd("RSET")
        client.quit()
    for path in server.wait_delivered(len(VECTORS), seconds=60):
        assert TEXT in path.read_bytes()
    assert not server.mails("bob@example.org")


def test_nul_behind_the_end_is_a_bad_command(server):
    with server.smtp() as client:
        client.hello()
        client.envelope("u@r.example", "alice@example.org")
        assert client.cmd("DATA").code == 354
        client.send(b"part\r\n.\r\n\0" + SMUGGLED)
        for code in (250, 500, 503, 554):  # kept; NUL; no MAIL; DATA with something behind it
            reply = client.reply()
            assert reply.code in (code, 503), str(reply)
            if reply.code == 503 and code == 554:
                break
    server.wait_delivered(1)
    assert not server.mails("bob@example.org")


@pytest.mark.parametrize("body", [b".\r\n", b"\r\n.\r\n", b"a\r\n.\r\nb\r\n", b"..\r\n"])
def test_bdat_knows_no_dots(server, body):
    """SMUG-04"""
    with server.smtp() as client:
        client.hello()
        client.envelope("u@r.example", "alice@example.org")
        head = b"Subject: x\r\n\r\n"
        client.send(b"BDAT %d\r\n" % len(head) + head + b"BDAT %d LAST\r\n" % len(body) + body)
        client.expect(250)
        client.expect(250)
        client.quit()
    kept = server.wait_delivered(1)[0].read_bytes()
    assert kept.endswith(b"Subject: x\n\n" + body.replace(b"\r\n", b"\n"))
