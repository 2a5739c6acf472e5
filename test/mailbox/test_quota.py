"""A mailbox that may hold no more: its mail waits, that of others does not."""

from harness.operator import json_lines
from harness.wait import wait_for

HALF = b"Subject: half\r\n\r\n" + (b"x" * 76 + b"\r\n") * 7000


def waiting(server):
    return [(row["rcpt"], row["reply"])
            for row in json_lines(server.cli("queue", "list", "--json").stdout)]


def test_mail_for_a_full_mailbox_waits_until_there_is_room(new_server):
    server = new_server(domains={"example.org": "quota = 1MiB"}).start()
    for _ in range(2):  # 0.52 MiB each
        server.deliver(["alice@example.org", "bob@example.org"], HALF)
        wait_for(lambda: server.log(event="delivery", rcpt="bob@example.org"), "a delivery")
    wait_for(lambda: len(server.mails("bob@example.org")) == 1 and len(waiting(server)) == 2,
             "one delivery to each, and both second ones to wait")
    assert all("over quota" in reply for _, reply in waiting(server))
    box = server.maildir("bob@example.org")
    size = server.mails("bob@example.org")[0].stat().st_size
    assert (box / "maildirsize").read_text() == f"1048576S\n{size} 1\n"

    server.deliver("bob@example.org", b"Subject: small\r\n\r\n")  # there is room for this one
    server.wait_delivered(2, "bob@example.org")

    for path in server.mails("bob@example.org"):
        path.unlink()
    server.cli("queue", "flush")
    server.wait_delivered(1, "bob@example.org")
    assert [rcpt for rcpt, _ in waiting(server)] == ["alice@example.org"]


def test_quota_is_for_maildirs_of_ours(new_server):
    for inside in ("quota = 1MiB\nmailboxes = system", 'quota = 1GiB\ndeliver = "lmtp:/run/x"',
                   "quota = 5", "quota = much"):
        done = new_server(domains={"example.org": inside}, accounts=[]).cli("check", check=False)
        assert done.returncode == 78 and "quota: " in done.stderr, inside
