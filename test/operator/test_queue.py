"""`sekisho queue` shows what waits, page by page, to people and to programs."""

from harness import wait_for

from harness.operator import id_of, json_lines

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"


def wait_tried(server, count):
    """Until so many recipients wait after a first try that failed."""
    def tried():
        rows = json_lines(server.cli("queue", "list", "--json").stdout)
        return len(rows) == count and all(row["tries"] and row["state"] == "waiting"
                                          for row in rows) and rows
    return wait_for(tried, lambda: f"{count} failed tries: {server.cli('queue', 'list').stdout}")


def test_an_empty_queue_says_so(server):
    assert server.cli("queue", "list").stdout == "the queue is empty\n"
    assert server.cli("queue", "list", "--json").stdout == ""


def test_what_waits_is_listed(stuck):
    first = id_of(stuck.deliver(["alice@example.org", "bob@example.org"], MAIL))
    second = id_of(stuck.deliver("Alice+tag@example.org", MAIL, sender=""))
    rows = wait_tried(stuck, 3)

    assert [row["id"] for row in rows] == [first, first, second]
    assert rows[0]["sender"] == "sender@example.net" and rows[2]["sender"] == ""
    assert [row["mailbox"] for row in rows] == ["alice@example.org", "bob@example.org",
                                                "alice@example.org"]
    assert rows[2]["rcpt"] == "Alice+tag@example.org"
    assert rows[0]["rcpts"] == 2 and rows[0]["size"] > len(MAIL)
    assert all(row["reply"] and row["next"] > row["arrived"] for row in rows)

    table = stuck.cli("queue", "list").stdout.splitlines()
    assert table[0].split()[:3] == ["ID", "SIZE", "ARRIVED"]
    assert [line.split()[0] for line in table[1:-1]] == [first, first, second]
    assert "<>" in table[3] and "Alice+tag@example.org" in table[3]
    assert table[-1].startswith("3 recipients of 2 messages, ")


def test_one_message_is_shown(stuck):
    stuck.deliver("bob@example.org", MAIL)
    shown = id_of(stuck.deliver(["alice@example.org", "bob@example.org"], MAIL))
    stuck.deliver("bob@example.org", MAIL)
    wait_tried(stuck, 4)

    text = stuck.cli("queue", "show", shown).stdout
    assert f"id          {shown}\n" in text and "sender      sender@example.net\n" in text
    assert "\n  alice@example.org: waiting, 1 tries, next " in text
    assert "\n  bob@example.org: waiting" in text and "last reply: " in text
    rows = json_lines(stuck.cli("queue", "show", shown.upper(), "--json").stdout)
    assert [(row["id"], row["rcpt"]) for row in rows] == [(shown, "alice@example.org"),
                                                          (shown, "bob@example.org")]


def test_more_than_a_page_is_listed_whole(stuck):
    many = [f"user{n}@example.org" for n in range(70)]
    stuck.cli("user", "add", *many)
    ids = [id_of(stuck.deliver(many, MAIL)), id_of(stuck.deliver(many[:40], MAIL))]
    rows = json_lines(stuck.cli("queue", "list", "--json").stdout)

    assert [(row["id"], row["rcpt"]) for row in rows] == (
        [(ids[0], rcpt) for rcpt in many] + [(ids[1], rcpt) for rcpt in many[:40]])
    rows = json_lines(stuck.cli("queue", "show", ids[0], "--json").stdout)
    assert [row["rcpt"] for row in rows] == many


def test_an_id_that_is_not_there_is_an_error(server):
    for id_text, said in (("0000000000100", "is not in the queue"), ("x;y", "no message id")):
        done = server.cli("queue", "show", id_text, check=False)
        assert done.returncode == 65 and said in done.stderr and done.stdout == ""
