"""mailboxes = system: mail lies in the user's home, as the user's own doing would leave it."""

import os
import stat
import time

import pytest

from harness import DOMAIN, FIRST_UID, UserServer, strip_added, wait_for

BODY = b"Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def house(new_homes, new_server):
    """Users alice and bob, and a server that has said that it stands."""
    server = new_server(kind=UserServer, homes=new_homes("alice", "bob"),
                        options={"retry_first": 1, "retry_most": 1, "system_deliver_idle": 2}).start()
    server.wait_log(event="started")
    return server


def test_files_are_the_users_and_private(house):
    house.deliver([f"alice@{DOMAIN}", f"bob@{DOMAIN}"], BODY)
    house.wait_delivered(2)
    for user, uid in house.homes.uids.items():
        maildir = house.maildir(f"{user}@{DOMAIN}")
        [path] = house.mails(f"{user}@{DOMAIN}")
        for at in (maildir, *(maildir / sub for sub in ("new", "cur", "tmp")), path):
            st = os.stat(at)
            assert (st.st_uid, st.st_gid) == (uid, uid), at
            assert stat.S_IMODE(st.st_mode) == (0o700 if at.is_dir() else 0o600), at
        assert sorted(os.listdir(house.homes[user])) == ["Maildir"]
        assert sorted(os.listdir(maildir)) == ["cur", "new", "tmp"]
        assert os.listdir(maildir / "tmp") == []
        fields, rest = strip_added(path.read_bytes())
        assert fields["Delivered-To"] == f"{user}@{DOMAIN}"
        assert rest.endswith(b"\nhello\n")
        assert f",S={os.stat(path).st_size}" in path.name
