"""What a user may have done to the home: mail waits with a reason, or lies within the user's own
rights; nothing outside is touched, and nobody else's mail is late.

Each row's user plays one trick; all get mail at once; then each puts the home in order and all of it
comes, once.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from harness import DOMAIN, LoopDisk, queue_is_empty, wait_for

BODY = b"Subject: hello\r\n\r\nhello\r\n"
DELIVERED = None  # instead of a reason: it does no harm


def link(target):
    return lambda at: at.symlink_to(target)


def folder(mode):
    return lambda at: (at.mkdir(), os.chmod(at, mode))


def special(kind):
    return lambda at: subprocess.run(["mknod", at, *kind.split()], check=True)


def foreign(at):
    """Somebody else's folder."""
    at.mkdir()
    os.chown(at, 1, 1)


# what stands where, and what is said of it
TRICKS = [
    ("Maildir", link("/etc"), "Not a directory"),
    ("Maildir", link("../victim"), "Not a directory"),
    ("Maildir", link("../victim/Maildir"), "Not a directory"),
    ("Maildir", link("nowhere"), "Not a directory"),
    ("Maildir", special("p"), "Not a directory"),
    ("Maildir", lambda at: at.write_bytes(b"x"), "Not a directory"),
    ("Maildir", special("b 7 0"), "Not a directory"),
    ("Maildir", special("c 5 0"), "Not a directory"),
    ("Maildir", folder(0o000), "Permission denied"),
    ("Maildir", foreign, "Permission denied"),
    ("Maildir/new", link("../../victim/Maildir/new"), "folder new"),
    ("Maildir/new", special("p"), "folder new"),
    ("Maildir/new", lambda at: at.write_bytes(b"x"), "folder new"),
    ("Maildir/new", folder(0o500), "Permission denied"),
    ("Maildir/tmp", link("/tmp"), "folder tmp"),
    ("Maildir/tmp", special("p"), "folder tmp"),
    ("Maildir/tmp", folder(0o000), "folder tmp"),
    ("Maildir/cur", special("p"), DELIVERED),
    ("Maildir/cur", link("/etc"), DELIVERED),
    (".", lambda at: os.chmod(at, 0), "Permission denied"),
    (".", lambda at: at.rename(f"{at}.away"), "No such file or directory"),
    (".", lambda at: os.chown(at, 0, 0), "Permission denied"),
    (".", lambda at: (at.rename(f"{at}.away"), os.mkfifo(at)), "Not a directory"),
    (".", lambda at: (at.rename(f"{at}.away"), at.symlink_to("/etc")), "is uid 0's"),
    (".", lambda at: (at.rename(f"{at}.away"), at.symlink_to("victim")), "Permission denied"),
]
USERS = [f"u{n}" for n in range(len(TRICKS))]


def play(homes, user, where, trick):
    home = homes[user]
    at = home if where == "." else home / where
    if where.startswith("Maildir/"):
        at.parent.mkdir(mode=0o700)
    trick(at)
    for path in (home / "Maildir", at):
        if path.exists() and not path.is_symlink() and trick is not foreign and where != ".":
            os.chown(path, homes.uids[user], homes.uids[user])


def put_in_order(homes, user, where):
    home = homes[user]
    away = Path(f"{home}.away")
    if away.exists():
        home.unlink(missing_ok=True)
        away.rename(home)
    os.chmod(home, 0o700)
    os.chown(home, homes.uids[user], homes.uids[user])
    at = home / where
    if where != "." and (at.is_symlink() or not at.is_dir()):
        at.unlink()
    elif where != ".":
        shutil.rmtree(at)


def waiting(server):
    rows = [json.loads(line) for line in server.cli("queue", "list", "--json").stdout.splitlines()]
    return {row["mailbox"].partition("@")[0]: row["reply"] for row in rows}


def snapshot(folder):
    return sorted(str(path) for path in Path(folder).glob("*"))


def test_no_trick_does_anything(new_house):
    house = new_house("victim", "bob", *USERS, system_deliver_idle=1)
    homes = house.homes
    house.deliver([f"victim@{DOMAIN}"], BODY)
    house.wait_delivered(1, f"victim@{DOMAIN}")
    for user, (where, trick, _) in zip(USERS, TRICKS):
        play(homes, user, where, trick)
    before = snapshot("/etc"), snapshot(homes["victim"] / "Maildir" / "new")
    for user in USERS:
        house.deliver([f"{user}@{DOMAIN}"], BODY)
    began = time.monotonic()
    house.deliver([f"bob@{DOMAIN}"], BODY)
    house.wait_delivered(1, f"bob@{DOMAIN}", seconds=5)
    print(f"bob's mail took {time.monotonic() - began:.2f} s")

    said = {user: reason for user, (_, _, reason) in zip(USERS, TRICKS) if reason}

    def all_said():
        now = waiting(house)
        return set(now) == set(said) and all(said[user] in now[user] for user in said)
    wait_for(all_said, lambda: "\n".join(
        f"{user} {TRICKS[USERS.index(user)][0]}: wanted {said.get(user)!r}, got {text!r}"
        for user, text in waiting(house).items() if said.get(user) is None or said[user] not in text)
        + f"\nnot waiting: {set(said) - set(waiting(house))}", 20, poll=0.2)
    assert (snapshot("/etc"), snapshot(homes["victim"] / "Maildir" / "new")) == before
    assert not list(Path("/tmp").glob("sekisho-*.mail.example.org"))

    for user, (where, _, reason) in zip(USERS, TRICKS):
        if reason:
            put_in_order(homes, user, where)
    wait_for(lambda: queue_is_empty(house), lambda: f"all mail to come: {waiting(house)}", 60, poll=0.2)
    for user in USERS:
        assert len(list((homes[user] / "Maildir" / "new").iterdir())) == 1, user
    assert len(house.mails(f"bob@{DOMAIN}")) == 1


@pytest.fixture
def small_disk(request):
    disk = LoopDisk(mib=4)
    request.addfinalizer(disk.remove)
    return disk


def test_a_full_disk_and_what_cannot_be_changed(small_disk, new_house):
    """The file system of the homes is full; then a folder on it is immutable."""
    homes_at = small_disk.path / "home"
    house = new_house("alice", "bob", at=homes_at)
    ballast = homes_at / "ballast"
    with open(ballast, "wb") as out, pytest.raises(OSError):
        while True:
            out.write(b"x" * 65536)
            out.flush()
    house.deliver([f"alice@{DOMAIN}"], b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 4000)
    wait_for(lambda: "no room" in str(waiting(house)) or "No space left" in str(waiting(house)),
             lambda: f"no room: {waiting(house)}", 10)
    assert not list((homes_at / "alice" / "Maildir").glob("*/*"))
    ballast.unlink()
    house.wait_delivered(1, f"alice@{DOMAIN}")
    new = homes_at / "alice" / "Maildir" / "new"
    subprocess.run(["chattr", "+i", new], check=True)
    try:
        house.deliver([f"alice@{DOMAIN}", f"bob@{DOMAIN}"], BODY)
        house.wait_delivered(1, f"bob@{DOMAIN}")
        wait_for(lambda: "Operation not permitted" in str(waiting(house)),
                 lambda: f"it to wait: {waiting(house)}", 10)
    finally:
        subprocess.run(["chattr", "-i", new], check=True)
    house.wait_delivered(2, f"alice@{DOMAIN}", seconds=30)
    house.stop()


def test_new_on_another_file_system(new_house):
    house = new_house("alice")
    house.deliver([f"alice@{DOMAIN}"], BODY)
    house.wait_delivered(1)
    wait_for(lambda: not house.user_delivers(), "its deliver to leave", 6)
    new = house.homes["alice"] / "Maildir" / "new"
    inside = ["nsenter", "-t", str(house.pids("master")[0]), "-m"]
    subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "mode=777", "none", new], check=True)
    house.deliver([f"alice@{DOMAIN}"], BODY)
    wait_for(lambda: "Invalid cross-device link" in str(waiting(house)),
             lambda: f"it to wait: {waiting(house)}", 10)
    # the process that has it mounted leaves once it has nothing to do
    subprocess.run([*inside, "umount", new], check=True)
    house.wait_delivered(2, seconds=30)


def test_a_large_maildir_is_not_read(new_house):
    """Only a replay looks through cur/."""
    house = new_house("alice")
    for sub in ("new", "cur", "tmp"):
        house.homes.run_as("alice", "mkdir", "-p", f"Maildir/{sub}")
        house.homes.run_as("alice", "sh", "-c",
                           f"cd Maildir/{sub} && seq -f sekisho-%.0f.elsewhere 3000 | xargs touch")
    began = time.monotonic()
    house.deliver([f"alice@{DOMAIN}"], BODY)
    wait_for(lambda: queue_is_empty(house), "an empty queue", 10)
    assert time.monotonic() - began < 3
    assert len(os.listdir(house.maildir(f"alice@{DOMAIN}") / "tmp")) == 3000
