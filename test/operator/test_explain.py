"""`sekisho explain` tells what happened to a message so far."""

import re

from harness import strip_added, wait_for

from harness.operator import id_of, json_lines

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"


def explained(server, *args):
    return server.cli("explain", *args).stdout


def wait_until(server, sent, *said):
    """What is explained, once all of this is in it: its processes report each in their own time."""
    def whole():
        text = server.cli("explain", sent, check=False).stdout
        return all(one in text for one in said) and text
    return wait_for(whole, lambda: f"{said} in:\n{explained(server, sent)}")


def test_a_delivered_message_is_explained(server):
    sent = id_of(server.deliver("alice@example.org", MAIL))
    path, = server.wait_delivered(1)
    text = wait_until(server, sent, " kept ", " delivered ", "not in the queue any more")
    lines = text.splitlines()

    assert lines[-1] == "not in the queue any more"
    said = {line.split()[1]: line for line in lines[:-1]}
    assert said["data"].split()[2:4] == ["accept", "kept"] and " code=250 " in said["data"]
    assert said["delivery"].split()[2] == "delivered"
    assert " rcpt=alice@example.org " in said["delivery"]
    times = [line.split()[0] for line in lines[:-1]]
    assert times == sorted(times)

    records = [line["record"] for line in json_lines(explained(server, sent, "--json"))]
    assert [record["time"] for record in records] == times
    assert {record["id"] for record in records} == {sent}

    # the id as it stands in a reply, a log line and the Received field
    received = strip_added(path.read_bytes())[0]["Received"]
    from_received = re.search(r"\bid (\S+)", received).group(1)
    from_log = server.log(event="decision", stage="data")[0]["id"]
    for form in (sent, from_received, from_log, sent.upper(), f"id={sent}"):
        assert explained(server, form) == text, form


def test_what_waits_is_explained_with_its_state(stuck):
    sent = id_of(stuck.deliver("alice@example.org", MAIL))
    text = wait_until(stuck, sent, " kept ", " deferred ", ", 1 tries")
    assert "\nstill in the queue:\n  alice@example.org: waiting" in text
    lines = json_lines(explained(stuck, sent, "--json"))
    assert lines[-1]["queued"]["id"] == sent and lines[-1]["queued"]["tries"] == 1
    assert all("record" in line for line in lines[:-1])


def test_a_refused_message_is_explained(server):
    with server.smtp() as client:
        client.hello()
        assert client.cmd("MAIL FROM:<s@example.net>").code == 250
        assert client.cmd("RCPT TO:<nobody@example.org>").code == 550
        client.quit()
    row, = server.wait_log(event="decision", stage="rcpt", verdict="reject")
    text = wait_for(lambda: server.cli("explain", row["id"], check=False).stdout,
                    "the journal to have it")
    line = text.splitlines()[0]
    assert line.split()[1:4] == ["rcpt", "reject", row["reason"]]
    assert " to=nobody@example.org " in line and " code=550 " in line


def test_many_recipients_are_explained_whole(new_server):
    many = [f"user{n}@example.org" for n in range(100)]
    server = new_server(accounts=())
    server.cli("user", "add", *many)
    sent = id_of(server.start().deliver(many, MAIL))
    server.wait_delivered(100)

    def all_there():
        lines = json_lines(explained(server, sent, "--json"))
        fields = [line["record"]["fields"] for line in lines if "record" in line]
        found = [f["rcpt"] for f in fields if f["event"] == "delivery"]
        return len(found) >= 100 and found
    assert sorted(wait_for(all_there, "100 recipients' records")) == sorted(many)


def test_an_unknown_id_is_an_error(server):
    for id_text, said in (("0000000000100", "nothing is known of 0000000000100"),
                          ("'; DROP TABLE", "no message id")):
        done = server.cli("explain", id_text, check=False)
        assert done.returncode == 65 and said in done.stderr and done.stdout == ""
