"""Who may send where: RELIABILITY 3, for a stranger, who is everybody. Nothing leaves, ever."""

import pytest

L, H, R = "example.org", "mail.example.org", "r.example"
I = "127.0.0.1"

SENDERS = [f"<u@{R}>", "<>", f"<spam@{H}>", f"<spam@{L}>", f"<spam@[{I}]>", "<spam@localhost>"]

# recipient, and the codes it may be refused with
REFUSED = [
    (f"<u@{R}>", {554}),                                   # 1-7
    (f"<u%{R}@[{I}]>", {550, 554}),                        # 9
    (f"<u%{R}@{H}>", {550}), (f"<u%{R}@{L}>", {550}),      # 10, 11
    (f"<u%{R}>", {501, 553}),                              # 12
    (f'<"u@{R}">', {501, 553}), (f'<"u%{R}">', {501, 553}),  # 13, 14
    (f"<u@{R}@[{I}]>", {501}),                             # 15
    (f'<"u@{R}"@[{I}]>', {550}),                           # 16
    (f"<u@{R}@{H}>", {501}),                               # 17
    (f'<"u@{R}"@{H}>', {550}), (f'<"u@{R}"@{L}>', {550}),  # 18
    (f"<@[{I}]:u@{R}>", {554, 501}),                       # 19
    (f"<@{H}:u@{R}>", {554, 501}), (f"<@{L}:u@{R}>", {554, 501}),
    (f"<@{L},@{H}:u@{R}>", {554, 501}),                    # 20
    (f"<{R}!u>", {501, 553}),                              # 21
    (f"<{R}!u@[{I}]>", {550}), (f"<{R}!u@{H}>", {550}), (f"<{R}!u@{L}>", {550}),  # 22, 23
    (f"<u@{R}.>", {554, 501}), ("<u@r.EXAMPLE>", {554}),   # 24
    ("<u@[192.0.2.77]>", {554}), ("<u@[IPv6:2001:db8::77]>", {554}),  # 25
    ("<u@[0.0.0.0]>", {554}), ("<u@[IPv6:::]>", {554}), ("<u@[10.0.0.1]>", {554}),
    (f"<u@{R}%{L}>", {501}), (f"<u@{L}@{R}>", {501}), (f"<u@{R}@{L}>", {501}),  # 26
    (f"<u@{L},u@{R}>", {501}), (f"<u@{L};u@{R}>", {501}), (f"<u@{L} u@{R}>", {501}),  # 27
    (f"<alice@{L}>,<u@{R}>", {501, 555}), (f"<alice@{L}> <u@{R}>", {501, 555}),  # 28
    (f"<alice@{L}> FOO", {555}), (f"<alice@{L}>x", {501, 555}),
    (f"u@{R}", {501, 554}), (f" <u@{R}>", {501, 554}), (f"alice@{L}", {501}),  # 29
    (f"<u@{L}\0@{R}>", {500, 501}), (f"<u@{L}\r@{R}>", {500, 501}),
    (f"<u@{L}\t@{R}>", {500, 501}), ("<\u00e9@r.example>", {501, 553}),  # 30
    (f"<u@sub.{L}>", {554}), (f"<u@{L}.{R}>", {554}), (f"<u@x{L}>", {554}),
    (f"<u@{L}.evil>", {554}),                              # 31
    ("<u@>", {501}), (f"<@{R}>", {501}), ("<>", {501}), ("<alice>", {501}),  # 32
    (f"<SRS0=x=y={R}=u@{L}>", {550}), (f"<prvs=1234=u@{L}>", {550}),  # 33
    (f"<bounce+u={R}@{L}>", {550}),
]

ACCEPTED = [f"<alice@{L}>", f"<ALICE@{L.upper()}>", f"<alice+u={R}@{L}>", "<postmaster>",
            "<PostMaster>", f"<postmaster@{L}>", f"<alice@[{I}]>", "<alice@[IPv6:::1]>",
            f"<@{R}:alice@{L}>", f"<alice@{L}> NOTIFY=SUCCESS ORCPT=rfc822;u+40{R}",
            f'<"alice"@{L}>']


@pytest.fixture
def house(new_server):
    return new_server(options={"smtp_max_errors": 1000, "smtp_max_junk": 100000},
                      accounts=("alice@example.org", "postmaster@example.org")).start()


def begin(client, sender):
    assert client.cmd("RSET").code == 250
    assert client.cmd(f"MAIL FROM:{sender}").code == 250


@pytest.mark.parametrize("helo", ["client.example", L, "[127.0.0.1]"])
def test_nobody_relays(house, helo):
    with house.smtp() as client:
        client.hello(helo)
        for sender in SENDERS:
            begin(client, sender)
            for rcpt, codes in REFUSED:
                reply = client.cmd(f"RCPT TO:{rcpt}")
                assert reply.code in codes, f"{sender} {rcpt}: {reply}"
                if reply.code == 554:
                    assert reply.dsn == "5.7.1"
            assert client.cmd("DATA").code == 554
        client.quit()
    assert not house.mails()


def test_sender_without_domain(house):
    """Row 8."""
    with house.smtp() as client:
        client.hello()
        assert client.cmd("MAIL FROM:<spam>").code in (501, 553)


def test_our_own_are_accepted(house):
    for rcpt in ACCEPTED:
        with house.smtp() as client:
            client.hello()
            begin(client, "<u@r.example>")
            reply = client.cmd(f"RCPT TO:{rcpt}")
            assert reply.code == 250, f"{rcpt}: {reply}"
            assert client.data(b"Bcc: u@r.example\r\n\r\nx\r\n").code == 250
            client.quit()
    house.wait_delivered(len(ACCEPTED))


def test_refusals_between_leave_the_accepted_alone(house):
    """Rows 35, 37, 41: alice gets it, and nobody else."""
    with house.smtp() as client:
        client.hello()
        begin(client, "<alice@example.org>")
        for line, code in ((f"RCPT TO:<alice@{L}>", 250), (f"RCPT TO:<u@{R}>", 554),
                           ("AUTH PLAIN", 502), ("STARTTLS", 502), ("XCLIENT ADDR=127.0.0.1", 502),
                           (f"RCPT TO:<u@{R}>", 554)):
            assert client.cmd(line).code == code, line
        assert client.data(f"To: u@{R}\r\nResent-To: u@{R}\r\n\r\nx\r\n".encode()).code == 250
        client.quit()
    house.wait_delivered(1, f"alice@{L}")
    assert len(house.mails()) == 1


def test_a_refusal_names_its_decision(house):
    with house.smtp() as client:
        client.hello()
        begin(client, "<u@r.example>")
        reply = client.cmd(f"RCPT TO:<u@{R}>")
    line = house.wait_log(event="decision", reason="relay_denied")[0]
    assert f"[{line['id']}]" in reply.text
    assert (line["to"], line["from"], line["code"]) == (f"u@{R}", "u@r.example", "554")
