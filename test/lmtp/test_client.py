"""LMTP to servers that are well, and to those that are not: right results, no mail lost, nobody
else held up."""

import os
import threading
import time

import pytest

from harness import queue_is_empty, wait_for
from harness.lmtp import Peer

MAIL = b"From: s@example.net\r\nSubject: lmtp\r\n\r\n.a line\r\n..\r\nthe last\r\n"
SOON = {"retry_first": 1, "retry_most": 1, "lmtp_connect": 2, "lmtp_wait": 1, "lmtp_wait_end": 1}


@pytest.fixture
def peer(request):
    """peer(**script): a scripted server, closed at the end of the test."""
    made = []

    def make(**how):
        made.append(Peer(**how))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def serve(new_server):
    """A server whose far.example goes to this endpoint; example.org stays in Maildirs."""
    def make(endpoint, **options):
        server = new_server(
            options={**SOON, **options},
            domains={"example.org": "", "far.example": f'deliver = "{endpoint}"'},
            accounts=("alice@example.org", "bob@far.example", "carol@far.example"))
        return server.start()
    return make


def arrived(peer, count, seconds=15.0):
    wait_for(lambda: len(peer.mails) >= count, lambda: f"{count} mails, got {peer.mails}", seconds)
    return peer.mails


def queue_empties(server):
    wait_for(lambda: queue_is_empty(server), lambda: f"the queue to empty\n{server.log_tail()}", 20)


def content_of(mail):
    """What came, without our Received field."""
    assert mail.startswith(b"Received: from client.example ")
    return mail[mail.index(b"From: "):]


# ---- servers that are well ----

@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_what_was_sent_arrives_and_no_other_field(peer, serve, tmp_path, where):
    os.chmod(tmp_path, 0o755)
    far = peer(path=tmp_path / "lmtp" if where == "unix" else None)
    server = serve(far.endpoint)
    server.deliver(["bob@far.example", "carol@far.example"], MAIL)
    [(sender, recipients, octets)] = arrived(far, 1)
    assert sender == "sender@example.net"
    assert recipients == ["bob@far.example", "carol@far.example"]
    assert content_of(octets) == MAIL
    queue_empties(server)
    assert server.log(event="delivery", verdict="delivered", mailbox="bob@far.example",
                      reply="250 2.0.0 <bob@far.example> kept")


def test_a_message_goes_both_ways_at_once(peer, serve):
    far = peer()
    server = serve(far.endpoint)
    server.deliver(["alice@example.org", "bob@far.example"], MAIL)
    [mail] = server.wait_delivered(1, "alice@example.org")
    assert arrived(far, 1)[0][1] == ["bob@far.example"]
    assert mail.read_bytes().endswith(MAIL.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("size", [70_000, 3_000_000])
def test_a_long_message_arrives_whole(peer, serve, rng, size):
    far = peer()
    server = serve(far.endpoint)
    lines = [b"." * rng.randrange(3) + bytes(rng.choices(b" .ab\t\xc3\xa9", k=100)) + b"\r\n"
             for _ in range(size // 100)]
    body = b"From: x@example.net\r\n\r\n" + b"".join(lines)
    server.deliver(["bob@far.example"], body)
    assert content_of(arrived(far, 1)[0][2]) == body
    assert any(line.startswith("MAIL") and "BODY=8BITMIME" in line for line in far.said)


def test_connections_are_used_again_and_bounded(peer, serve):
    far = peer(answer=lambda p, s: time.sleep(0.05) or "250 kept")
    server = serve(far.endpoint, lmtp_connections=3)
    for _ in range(30):
        server.deliver(["bob@far.example"], MAIL)
    arrived(far, 30)
    queue_empties(server)
    assert far.most_open <= 3
    assert far.connections <= 4
    wait_for(lambda: far.open == 0, "idle connections to be given up", 12)
    assert far.said[-1] == "QUIT"


def test_odd_names_are_quoted_on_the_wire(peer, new_server):
    far = peer()
    server = new_server(options=SOON, domains={"far.example": f'deliver = "{far.endpoint}"'},
                        accounts=('"odd one"@far.example',)).start()
    server.deliver(['"odd one"@far.example'], MAIL, sender='"s>x"@example.net')
    assert arrived(far, 1)[0][:2] == ('"s>x"@example.net', ['"odd one"@far.example'])


def test_a_server_without_extensions(peer, serve):
    far = peer(offers=())
    server = serve(far.endpoint)
    server.deliver(["bob@far.example", "carol@far.example"], MAIL)
    assert content_of(arrived(far, 1)[0][2]) == MAIL
    assert "MAIL FROM:<sender@example.net>" in far.said
    server.deliver(["bob@far.example"], b"Subject: \xe9\r\n\r\n\xe9\r\n")
    [row] = server.wait_log(event="delivery", verdict="held")
    assert row["reply"].startswith("5.6.3 ")
    assert len(far.mails) == 1


@pytest.mark.parametrize("size", [100, 70_000])
def test_requests_for_reports_go_on(peer, serve, size):
    """RFC 3461 §4, by each road: at once, and read back from the spool for another try."""
    far = peer(offers=("PIPELINING", "DSN"), rcpt=["450 4.2.1 later", "250 2.1.5 ok"])
    server = serve(far.endpoint)
    with server.smtp() as client:
        client.hello()
        client.cmd("MAIL FROM:<s@example.net> RET=HDRS ENVID=a+2Bb")
        client.cmd("RCPT TO:<bob@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+2By@example.com")
        assert client.data(MAIL + b"x" * 70 * (size // 70) + b"\r\n").code == 250
    arrived(far, 1)
    assert [line for line in far.said if line[:4] in ("MAIL", "RCPT")] == 2 * [
        "MAIL FROM:<s@example.net> RET=HDRS ENVID=a+2Bb",
        "RCPT TO:<bob@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+2By@example.com"]


# ---- servers that are not ----

LATER = "deferred"
NEVER = "held"


# what happens at which place, what it is for the recipient, what the log says of it
FAULTS = [
    ({"greeting": "421 4.3.2 not now"}, LATER, "421 4.3.2 not now"),
    ({"greeting": "554 go away"}, LATER, "554 go away"),
    ({"greeting": b"SSH-2.0-OpenSSH\r\n"}, LATER, "not a reply"),
    ({"greeting": Peer.CLOSE}, LATER, "closed by the server"),
    ({"greeting": None}, LATER, "timeout"),
    ({"lhlo": "500 5.5.1 what"}, LATER, "500 5.5.1 what"),
    ({"lhlo": Peer.CLOSE}, LATER, "closed by the server"),
    ({"lhlo": b"250-a\r\n" * 1000}, LATER, "lines"),
    ({"mail": "451 4.3.0 later"}, LATER, "451 4.3.0 later"),
    ({"mail": "550 5.7.1 no"}, NEVER, "550 5.7.1 no"),
    ({"mail": Peer.CLOSE}, LATER, "closed by the server"),
    ({"mail": None}, LATER, "timeout"),
    ({"rcpt": "450 4.2.1 later"}, LATER, "450 4.2.1 later"),
    ({"rcpt": "550 5.1.1 no such"}, NEVER, "550 5.1.1 no such"),
    ({"rcpt": Peer.CLOSE}, LATER, "closed by the server"),
    ({"rcpt": b"250 " + b"x" * 5000 + b"\r\n"}, LATER, "a reply line of over"),
    ({"data": "451 4.3.0 later"}, LATER, "451 4.3.0 later"),
    ({"data": "554 5.6.0 no"}, NEVER, "554 5.6.0 no"),
    ({"data": "250 already"}, LATER, "DATA is answered with"),
    ({"data": Peer.CLOSE}, LATER, "closed by the server"),
    ({"answer": "452 4.2.2 full"}, LATER, "452 4.2.2 full"),
    ({"answer": "552 5.2.2 full"}, NEVER, "552 5.2.2 full"),
    ({"answer": "354 more"}, LATER, "it goes on behind"),
    ({"answer": b"550 refused\n250 kept\r\n"}, LATER, "does not end in CR LF"),
    ({"answer": b"25\x000 kept\r\n"}, LATER, "control octets"),
    ({"answer": Peer.CLOSE}, LATER, "behind the end of the message"),
    ({"answer": None}, LATER, "timeout behind the end of the message"),
]


@pytest.fixture
def house(peer, new_server):
    """A server, and for each fault a peer that has it, for whose domain there is bob."""
    peers = [peer(**script) for script, _, _ in FAULTS]
    domains = {f"fault{n}.example": f'deliver = "{far.endpoint}"' for n, far in enumerate(peers)}
    server = new_server(options=SOON, domains={"example.org": "", **domains},
                        accounts=("alice@example.org", *(f"bob@{name}" for name in domains)))
    return server.start(), peers


def test_each_fault_has_its_result(house):
    """All at the same time; and it is over when that server is well again: what may come later comes."""
    server, peers = house
    kept = []
    for n in range(len(FAULTS)):
        server.deliver([f"bob@fault{n}.example", "alice@example.org"], MAIL)
    server.wait_delivered(len(FAULTS), "alice@example.org")  # whatever the far ones do
    for n, (script, verdict, said) in enumerate(FAULTS):
        row = server.wait_log(event="delivery", mailbox=f"bob@fault{n}.example")[0]
        assert row["verdict"] == verdict and said in row["reply"], (script, row)
    for far in peers:
        with far.lock:
            far.script = {}
            kept.append(len(far.mails))
    for far, before, (script, verdict, _) in zip(peers, kept, FAULTS):
        if verdict == LATER:
            wait_for(lambda: len(far.mails) > before, lambda: f"mail after {script}", 15)
    held = sum(verdict == NEVER for _, verdict, _ in FAULTS)
    wait_for(lambda: len(server.log(event="delivery", verdict="delivered"))
             == 2 * len(FAULTS) - held, server.log_tail, 20)
    for far, before, (script, verdict, _) in zip(peers, kept, FAULTS):
        assert verdict == LATER or len(far.mails) == before, script


def test_recipients_have_results_of_their_own(peer, serve):
    far = peer(answer=["250 2.0.0 kept", "452 4.2.2 full", "250 2.0.0 kept now"])
    server = serve(far.endpoint)
    server.deliver(["bob@far.example", "carol@far.example"], MAIL)
    arrived(far, 2)
    assert [recipients for _, recipients, _ in far.mails] == [
        ["bob@far.example", "carol@far.example"], ["carol@far.example"]]
    queue_empties(server)


def test_too_few_answers_are_waited_for_and_too_many_end_the_connection(peer, serve):
    few = peer(answer=["250 kept", None, "250 kept"])
    server = serve(few.endpoint)
    server.deliver(["bob@far.example", "carol@far.example"], MAIL)
    arrived(few, 2)
    assert few.mails[1][1] == ["carol@far.example"]
    many = peer(answer=b"250 kept\r\n250 and more\r\n")
    server = serve(many.endpoint)
    for n in range(3):
        server.deliver(["bob@far.example"], MAIL)
        arrived(many, n + 1)
    queue_empties(server)
    assert len(many.mails) == 3 and many.connections == 3


def test_a_reply_that_drips_gains_no_time(peer, serve):
    def drip(_peer, session):
        for octet in b"250 2.1.0 a reply of many octets, each of which comes late\r\n":
            session.sock.sendall(bytes([octet]))
            time.sleep(0.3)
        return b""
    far = peer(mail=[drip, "250 ok"])
    server = serve(far.endpoint)
    server.deliver(["bob@far.example"], MAIL)
    row = server.wait_log(event="delivery", mailbox="bob@far.example", seconds=6)[0]
    assert row["verdict"] == LATER and "timeout" in row["reply"]
    arrived(far, 1)


def test_one_that_is_down_costs_few_connections(peer, serve, new_server):
    """And its mail arrives soon after it is up again."""
    far = peer()
    far.close()
    server = serve(far.endpoint)
    for _ in range(40):
        server.deliver(["bob@far.example"], MAIL)
    server.wait_log(event="endpoint_down", failures="2")
    assert len(server.log(event="endpoint_down")) <= 3
    far.listen()
    arrived(far, 40, seconds=20)
    queue_empties(server)
    assert server.log(event="endpoint_up")


def test_one_that_stands_still_holds_up_nobody(peer, new_server):
    stuck = peer(mail=None)
    well = peer()
    server = new_server(
        options={**SOON, "lmtp_wait": 60, "drain": 1},
        domains={"example.org": "", "stuck.example": f'deliver = "{stuck.endpoint}"',
                 "well.example": f'deliver = "{well.endpoint}"'},
        accounts=("alice@example.org", "bob@stuck.example", "carol@well.example")).start()
    for _ in range(300):
        server.deliver(["bob@stuck.example"], MAIL)
    began = time.monotonic()
    server.deliver(["carol@well.example", "alice@example.org"], MAIL)
    arrived(well, 1)
    server.wait_delivered(1)
    assert time.monotonic() - began < 2
    assert not stuck.mails


def test_one_that_takes_few_connections_is_given_few(peer, serve):
    far = peer(greeting=lambda p, s: "220 LMTP" if p.open <= 2 else "421 too many",
               answer=lambda p, s: time.sleep(0.1) or "250 kept")
    server = serve(far.endpoint)
    for _ in range(30):
        server.deliver(["bob@far.example"], MAIL)
    arrived(far, 30)
    queue_empties(server)
    assert not server.log(event="delivery", verdict="deferred")
    assert server.log(event="endpoint_full")


def test_a_used_connection_that_was_closed_is_nobodys_fault(peer, serve):
    far = peer(mail=["250 ok", Peer.CLOSE, "250 ok"])
    server = serve(far.endpoint)
    server.deliver(["bob@far.example"], MAIL)
    arrived(far, 1)
    server.deliver(["bob@far.example"], MAIL)
    arrived(far, 2)
    assert not server.log(event="delivery", verdict="deferred")


# ---- ourselves ----

@pytest.mark.parametrize("role", ["remote", "spool"])
def test_kept_mail_arrives_though_we_are_killed(peer, serve, role):
    """At least once: what was answered behind the dot and not reported yet may come twice."""
    far = peer(answer=lambda p, s: time.sleep(0.03) or "250 kept")
    server = serve(far.endpoint)
    stop = threading.Event()

    def killer():
        while not stop.wait(0.4):
            server.kill_role(role)
    thread = threading.Thread(target=killer)
    sent = 0
    thread.start()
    try:
        for number in range(60):
            with server.smtp() as client:
                client.hello()
                if client.cmd("MAIL FROM:<s@example.net>").code == 250 and \
                        client.cmd("RCPT TO:<bob@far.example>").code == 250:
                    sent += client.data(b"Subject: %d\r\n\r\n" % number).code == 250
    finally:
        stop.set()
        thread.join()
    assert sent > 0
    arrived(far, sent, seconds=30)
    queue_empties(server)
    subjects = {octets.split(b"Subject: ")[1].split(b"\r\n")[0] for _, _, octets in far.mails}
    assert len(subjects) >= sent


def test_a_reload_changes_where_mail_goes(peer, new_server):
    """What waits for an endpoint that is none any more goes where its domain's mail now goes."""
    first, second = peer(mail="451 4.3.0 later"), peer(answer=lambda p, s: time.sleep(0.5) or "250 kept")
    accounts = ("alice@example.org", "bob@far.example")
    domains = {"example.org": "", "far.example": ""}
    server = new_server(options=SOON, domains=domains, accounts=accounts).start()

    def deliver_is(value):
        server.write_conf(SOON, {"example.org": "", "far.example": value})
        server.cli("reload")
    deliver_is(f'deliver = "{first.endpoint}"')
    server.deliver(["bob@far.example"], MAIL)
    server.wait_log(event="delivery", verdict="deferred")
    deliver_is(f'deliver = "{second.endpoint}"')
    arrived(second, 1)
    server.deliver(["bob@far.example"], MAIL)
    wait_for(lambda: second.said.count("DATA") == 2, "the message on its way")
    deliver_is("")  # it is finished all the same, once
    server.deliver(["bob@far.example"], MAIL)
    server.wait_delivered(1, "bob@far.example")
    queue_empties(server)
    assert len(second.mails) == 2 and not first.mails
    wait_for(lambda: not server.pids("remote"), "the last remote to leave")


def test_stopping_finishes_what_is_on_its_way(peer, serve):
    far = peer(answer=lambda p, s: time.sleep(0.5) or "250 kept")
    server = serve(far.endpoint)
    server.deliver(["bob@far.example"], MAIL)
    wait_for(lambda: "DATA" in far.said, "DATA")
    server.stop()
    server.start()
    queue_empties(server)
    assert len(far.mails) == 1
