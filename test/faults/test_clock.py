"""CLK-1: the wall clock jumps. Nothing expires for it, what waits is tried again, ids and names stay
unique, decisions are remembered, and an operator is answered."""

import calendar
import time

import pytest

from harness import Ledger, Load, wait_for
from harness.clock import shift
from harness.operator import id_of, json_lines

pytestmark = pytest.mark.needs_root("writes into roles of other uids")

HOUR, YEAR = 3600, 365 * 86400
RESTARTED = ("spool", "store", "edge")
TRIES = 7  # more than age alone asks for before mail is held


def to(year, month=1, day=1, clock=(0, 0, 0)):
    """So far away is that moment."""
    return calendar.timegm((year, month, day, *clock)) - time.time()


# What the clock does; each is a jump from the one before.
JUMPS = {"an hour ahead": lambda: HOUR, "an hour back": lambda: -HOUR, "20 years ahead": lambda: 20 * YEAR,
         "1970": lambda: to(1970, 1, 2), "the end of 32 bits": lambda: to(2038, 1, 19, (3, 14, 5)),
         "true again": lambda: 0}


def rows(server):
    return json_lines(server.cli("queue", "list", "--json").stdout)


def tried(server, mail):
    return len(server.log(event="delivery", id=mail, verdict="deferred"))


def explained(server, mail):
    return server.cli("explain", mail, check=False).stdout


def kept_for_later(server):
    """A message to a mailbox that cannot be written, tried often enough to expire by age."""
    folder = server.maildir("bob@example.org")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("no folder\n")
    mail = id_of(server.deliver("bob@example.org", b"Subject: later\r\n\r\nx\r\n"))
    wait_for(lambda: tried(server, mail) >= TRIES, f"{TRIES} tries of {mail}", 30, poll=0.2)
    return mail


def assert_sound(server, mail, what):
    """What holds after each jump."""
    before = tried(server, mail)
    wait_for(lambda: tried(server, mail) >= before + 1, f"{what}: {mail} to be tried again", 20, poll=0.2)
    assert not server.log(event="delivery", verdict="held"), f"{what}: mail was held"
    assert [row["id"] for row in rows(server)].count(mail) == 1, f"{what}: {rows(server)}"
    assert "bob@example.org" in explained(server, mail), f"{what}: forgotten"
    assert server.cli("status").returncode == 0, what
    server.cli("reload")


def test_the_clock_jumps(faulty, rng):
    server = faulty(options={"delivers": 1, "retry_most": 1})
    first = id_of(server.deliver("alice@example.org", b"Subject: first\r\n\r\nx\r\n"))
    mail = kept_for_later(server)
    ledger = Ledger()
    for what, off in JUMPS.items():
        with Load(server.port, ledger, connections=3, rcpts=("alice@example.org",),
                  sizes=(200, 4096, 100000), seed=rng.randrange(10**6)) as load:
            load.wait_kept(5)
            shift(server, off())
            load.wait_kept(5)
            assert_sound(server, mail, what)
            again = RESTARTED if what in ("20 years ahead", "true again") else ()
            for role in again:  # what they find was written by another clock
                server.wait_replaced(role, server.kill_role(role))
            load.wait_kept(5)
        assert "alice@example.org" in explained(server, first), f"{what}: the journal was emptied"
    ids = [entry.kept_as for entry in ledger.entries.values() if entry.code == 250]
    assert len(ids) == len(set(ids)), "an id came twice"
    folder = server.maildir("bob@example.org")
    folder.unlink()
    wait_for(lambda: not rows(server), "an empty queue", 30, poll=0.2)
    assert len(server.mails("bob@example.org")) == 1
    for path in server.mails():
        if b"X-Ledger-Id" not in path.read_bytes():
            path.unlink()  # the two that are not in the ledger
    ledger.settle(server, 2 * len(RESTARTED))
    print(f"{ledger.kept()} kept over {len(JUMPS)} jumps")
