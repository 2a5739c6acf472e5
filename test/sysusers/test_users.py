"""mailboxes = system: mail lies in the user's home, as the user's own doing would leave it."""

import json
import os
import signal
import stat
import time

import pytest

from harness import DOMAIN, queue_is_empty, strip_added, wait_for

BODY = b"Subject: hello\r\n\r\nhello\r\n"


def address(user):
    return f"{user}@{DOMAIN}"


def reasons(server):
    """Mailbox -> what the queue says of it."""
    rows = [json.loads(line) for line in server.cli("queue", "list", "--json").stdout.splitlines()]
    return {row["mailbox"]: row for row in rows}


def test_files_are_the_users_and_private(new_house):
    house = new_house("alice", "bob")
    house.deliver([address("alice"), address("bob")], BODY)
    house.wait_delivered(2)
    for user, uid in house.homes.uids.items():
        maildir = house.maildir(address(user))
        [path] = house.mails(address(user))
        for at in (maildir, *(maildir / sub for sub in ("new", "cur", "tmp")), path):
            st = os.stat(at)
            assert (st.st_uid, st.st_gid) == (uid, uid), at
            assert stat.S_IMODE(st.st_mode) == (0o700 if at.is_dir() else 0o600), at
        assert sorted(os.listdir(house.homes[user])) == ["Maildir"]
        assert sorted(os.listdir(maildir)) == ["cur", "new", "tmp"]
        assert os.listdir(maildir / "tmp") == []
        fields, rest = strip_added(path.read_bytes())
        assert fields["Delivered-To"] == address(user)
        assert rest.endswith(b"\nhello\n")
        assert f",S={os.stat(path).st_size}" in path.name
    assert not house.log(event="walls_missing")


def test_one_without_work_leaves(new_house):
    house = new_house("alice", "bob")
    house.deliver([address("alice"), address("bob")], BODY)
    house.wait_delivered(2)
    began = time.monotonic()
    assert sorted(house.user_delivers().values()) == sorted(house.homes.uids.values())
    wait_for(lambda: not house.user_delivers(), "delivers without work to leave", 6)
    assert time.monotonic() - began > 1.5
    house.deliver([address("alice")], BODY)
    house.wait_delivered(2, address("alice"))


def test_a_hundred_users_at_once_stay_within_the_bound(new_house):
    users = [f"user{n}" for n in range(100)]
    house = new_house(*users, system_delivers=6)
    most = 0
    for half in (users[:50], users[50:]):
        house.deliver(map(address, half), BODY)

    def all_there():
        nonlocal most
        most = max(most, len(house.user_delivers()))
        return len(house.mails()) >= 100
    wait_for(all_there, lambda: f"100 deliveries ({len(house.mails())} came)\n{house.log_tail()}", 40,
             poll=0.02)
    wait_for(lambda: queue_is_empty(house), "an empty queue", 10)
    assert len(house.mails()) == 100
    assert 1 < most <= 6
    print(f"{most} delivers at once")


def test_a_user_who_is_no_more_has_mail_held(new_house):
    """What was accepted is not dropped: the operator decides."""
    house = new_house("alice", "bob")
    os.mkfifo(house.homes["alice"] / "Maildir")
    house.deliver([address("alice")], BODY)
    wait_for(lambda: "Not a directory" in str(reasons(house).get(address("alice"))), "it to wait", 10)
    del house.homes.uids["alice"]
    house.homes.write()
    wait_for(lambda: "the machine has no user alice" in str(reasons(house)[address("alice")])
             and "held" in str(reasons(house)[address("alice")]),
             lambda: f"alice's mail to be held: {reasons(house)}", 20)
    house.deliver([address("bob")], BODY)
    house.wait_delivered(1, address("bob"))


def test_a_user_who_stops_the_process_stops_no_other_mail(new_house):
    """It runs as the user, who may send it any signal."""
    house = new_house("alice", "bob", system_delivers=1, system_deliver_silence=2)
    house.deliver([address("alice")], BODY)
    house.wait_delivered(1, address("alice"))
    [pid] = house.user_delivers()
    house.homes.run_as("alice", "kill", "-STOP", pid)
    house.deliver([address("alice")], BODY)
    house.deliver([address("bob")], BODY)
    house.wait_delivered(1, address("bob"), seconds=25)  # released after 2 s, killed after 10 more
    house.wait_delivered(2, address("alice"), seconds=25)


def test_a_user_who_kills_the_process_again_and_again_gets_it_later(new_house):
    house = new_house("alice", "bob")
    for _ in range(3):
        house.deliver([address("alice")], BODY)
        wait_for(house.user_delivers, "a deliver", 15)
        for pid in house.user_delivers():
            os.kill(pid, signal.SIGKILL)
    house.deliver([address("bob")], BODY)
    house.wait_delivered(1, address("bob"), seconds=3)
    wait_for(lambda: queue_is_empty(house), "an empty queue", 30)
    assert len(house.mails(address("alice"))) >= 3
    assert len(house.log(event="role_ended", of="deliver")) <= 6
