"""MEM-L: the worst that clients may send, under a limit of memory that is the published maximum
(doc/ARCHITECTURE.md, Limits of memory). Nobody is killed, whoever does not fit hears 4xx, and afterwards
all roles have given back what they took."""

import concurrent.futures
import resource
import time

import pytest

from harness import Smtp, queue_is_empty, wait_for
from harness.process import private_octets, status_octets

MIB = 1 << 20
# As published: data (heap and the like) of any one role, and what each had at its most here.
DATA_MAX = 384 * MIB
MOST = {"edge": 320, "spool": 160, "deliver": 48, "writer": 16, "vault": 32, "store": 48, "state": 16,
        "control": 16, "logger": 16, "remote": 32, "master": 48}
AFTER = 12 * MIB  # what malloc and SQLite may keep for the next time

RCPTS = 10000
BIG = 50 * MIB
OPTIONS = {"edges": 1, "delivers": 1, "writers": 1, "smtp_max_rcpt": RCPTS, "max_connections_client": 2000,
           "message_size": BIG + MIB, "retry_first": 1, "retry_most": 1}
SCARCE = 24 * MIB  # far less than the published maximum
FEW = (250, 421, 451, 452)  # all that an honest client may hear

pytestmark = [pytest.mark.needs_release("a sanitizer's shadow is counted as data"),
              pytest.mark.needs_root("reads the memory of roles of other uids")]


def start(client, params=""):
    """What MAIL hears, or whatever it was that came before it."""
    for line in (None, "EHLO client.example", f"MAIL FROM:<s@example.net>{params}"):
        code = (client.reply() if line is None else client.cmd(line)).code
        if code not in (220, 250):
            break
    return code


def many_recipients(server):
    """One message to as many as there may be, told in one go."""
    with server.smtp(seconds=60) as client:
        start(client)
        codes = set()
        for first in range(0, RCPTS, 500):
            client.send(b"".join(b"RCPT TO:<%s%d@example.org>\r\n" % (b"u" * 50, first + n)
                                 for n in range(500)))
            codes |= {client.reply().code for _ in range(500)}
        codes.add(client.data(b"Subject: many\r\n\r\nx\r\n", seconds=60).code)
        return codes


def large_body(server):
    with server.smtp(seconds=60) as client:
        codes = {start(client, f" SIZE={BIG}"), client.cmd("RCPT TO:<alice@example.org>").code}
        if codes == {250}:
            client.send(b"BDAT %d LAST\r\nSubject: large\r\n\r\n" % BIG)
            left = BIG - len(b"Subject: large\r\n\r\n")
            block = (b"x" * 76 + b"\r\n") * 1000
            while left > 0:
                client.send(block[:left])
                left -= min(left, len(block))
            codes.add(client.reply(60).code)
        return codes


def endless_header(server):
    """Header fields, one line without end, until it is refused."""
    with server.smtp(seconds=60) as client:
        start(client)
        client.cmd("RCPT TO:<alice@example.org>")
        assert client.cmd("DATA").code == 354
        try:
            for _ in range(BIG // (64 << 10) + 64):
                client.send(b"X-Endless: " + b"h" * ((64 << 10) - 11))
            client.send(b"\r\n.\r\n")
        except OSError:
            pass
        return client.reply(60).code


def half_sent(server):
    """A transaction that stays as it is: an envelope and most of what edge keeps itself."""
    client = server.smtp(seconds=60)
    code = start(client)
    if code == 250:
        code = client.cmd("RCPT TO:<alice@example.org>").code
    if code == 250:
        code = client.cmd("DATA").code
    if code == 354:
        client.send(b"Subject: half\r\n\r\n" + (b"y" * 76 + b"\r\n") * 700)
    return client, code


class Peaks:
    """Private memory of each role now, and the most data any has had."""

    def __init__(self, server):
        self.now = {}
        for pid, name in server.family().items():
            role = name.removeprefix("sekisho-") if name != "sekisho" else "master"
            self.now[role] = max(self.now.get(role, 0), private_octets(pid))
            self.peak = getattr(self, "peak", {})
            self.peak[role] = max(self.peak.get(role, 0), status_octets(pid, "VmHWM"))


def test_the_worst_fits(new_server):
    server = new_server(options=OPTIONS, limits={resource.RLIMIT_DATA: DATA_MAX},
                        domains={"example.org": 'catch_all = "alice"'}).start()
    large_body(server)  # what is made once and kept is there
    wait_for(lambda: queue_is_empty(server), "an empty queue", 60, poll=0.2)
    family, before = server.family(), Peaks(server).now
    held = [half_sent(server) for _ in range(1000)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(large_body, server) for _ in range(3)]
        jobs += [pool.submit(many_recipients, server) for _ in range(3)]
        endless = [pool.submit(endless_header, server)]
        heard = set().union(*(job.result() for job in jobs))
        refused = [job.result() for job in endless]
    assert heard <= set(FEW) and 250 in heard, heard
    assert all(code in (*FEW, 500, 552, 554) for code in refused), refused
    for client, _ in held:
        client.close()
    wait_for(lambda: queue_is_empty(server), "an empty queue", 120, poll=0.2)
    assert server.family() == family, "somebody was killed"
    peak = Peaks(server).peak
    print({role: peak[role] // MIB for role in peak})
    over = {role: octets // MIB for role, octets in peak.items() if octets > MOST[role] * MIB}
    assert not over, f"MiB, over what is published: {over}"

    def given_back():
        return {role: (octets, before[role]) for role, octets in Peaks(server).now.items()
                if octets > before[role] + AFTER}
    wait_for(lambda: not given_back(), lambda: f"memory to be given back: {given_back()}", 20, poll=0.5)


def finish(held):
    """What a half-sent message is answered."""
    client, code = held
    with client:
        if code != 354:
            return code
        client.send(b"\r\n.\r\n")
        return client.reply(60).code


def test_what_does_not_fit_hears_4xx(new_server):
    """Memory ends long before any limit of ours: some are refused, none dies, and it passes."""
    server = new_server(options=OPTIONS, limits={resource.RLIMIT_DATA: SCARCE}).start()
    server.deliver("alice@example.org", b"Subject: x\r\n\r\nx\r\n")
    server.wait_delivered(1)
    family = server.family()
    held = [half_sent(server) for _ in range(700)]
    codes = [finish(one) for one in held]
    assert set(codes) <= set(FEW), set(codes)
    assert 250 in codes and set(codes) & {421, 451, 452}, {code: codes.count(code) for code in set(codes)}
    assert server.family() == family, "somebody was killed"
    wait_for(lambda: queue_is_empty(server), "an empty queue", 60, poll=0.2)
    server.wait_delivered(1 + codes.count(250))
    print({code: codes.count(code) for code in sorted(set(codes))})


def test_reloads_leave_nothing_in_master(new_server):
    server = new_server().start()
    master = server.pids("master")[0]
    server.cli("reload")
    before, most = private_octets(master), 2 * MIB
    for _ in range(8):
        for _ in range(3):
            server.cli("reload")
        wait_for(lambda: private_octets(master) <= before + most,
                 lambda: f"{private_octets(master)} octets to become {before} again", 10, poll=0.2)
