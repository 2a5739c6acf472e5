"""`sekisho queue hold|release|retry|delete|flush`: what an operator does to what waits."""

import json
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import wait_for
from harness.operator import Operator, id_of, json_lines

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"
PEOPLE = ["alice@example.org", "bob@example.org"]


def queue(server, *args):
    return json_lines(server.cli("queue", "list", "--json", *args).stdout)


def change(server, verb, *args):
    return json.loads(server.cli("queue", verb, "--json", *args).stdout)


def wait_tried(server, count):
    def tried():
        rows = queue(server)
        return len(rows) == count and all(row["tries"] and row["state"] != "delivering"
                                          for row in rows) and rows
    return wait_for(tried, lambda: f"{count} failed tries: {server.cli('queue', 'list').stdout}")


def unblock(server):
    (server.data_dir / "mail" / "example.org").unlink()


def states(server):
    return sorted((row["rcpt"], row["state"]) for row in queue(server))


def test_held_is_kept_until_released(stuck):
    first = id_of(stuck.deliver(PEOPLE, MAIL))
    stuck.deliver("bob@example.org", MAIL, sender="")
    wait_tried(stuck, 3)

    assert change(stuck, "hold", first) == {"changed": 2, "same": 0, "out": 0}
    assert change(stuck, "hold", first) == {"changed": 0, "same": 2, "out": 0}
    unblock(stuck)
    assert change(stuck, "flush") == {"changed": 1, "same": 2, "out": 0}
    stuck.wait_delivered(1, "bob@example.org")
    # not retried, and not after a restart either
    assert change(stuck, "retry", first)["same"] == 2
    stuck.wait_replaced("spool", stuck.kill_role("spool"))
    wait_for(lambda: stuck.cli("queue", "list", check=False).returncode == 0, "the new spool")
    assert {row["state"] for row in queue(stuck)} == {"held"}
    assert {row["id"] for row in queue(stuck, "--state", "held")} == {first}

    assert change(stuck, "release", "--recipient", "ALICE@example.org")["changed"] == 1
    stuck.wait_delivered(1, "alice@example.org")
    assert change(stuck, "release", first)["changed"] == 1
    stuck.wait_delivered(2, "bob@example.org")
    wait_for(lambda: queue(stuck) == [], "an empty queue")
    told = stuck.cli("explain", first).stdout
    assert told.count(" held ") >= 2 and told.count(" released ") == 2


def test_what_is_deleted_is_recorded(stuck):
    first = id_of(stuck.deliver(PEOPLE, MAIL))
    large = id_of(stuck.deliver(PEOPLE, MAIL + b"x\r\n" * 50000))
    wait_tried(stuck, 4)
    body = stuck.data_dir / "spool" / "body" / large
    assert body.exists()
    assert change(stuck, "delete", large, "--recipient", "bob@example.org")["changed"] == 1
    assert body.exists() and len(queue(stuck)) == 3
    assert change(stuck, "delete", large)["changed"] == 1
    wait_for(lambda: not body.exists(), "the body to go")
    assert stuck.cli("queue", "delete", first).stdout == "2 recipients deleted\n"
    assert queue(stuck) == []
    assert json.loads(stuck.cli("status", "--json").stdout)["queue"]["messages"] == 0

    rows = stuck.wait_log(event="operator", verdict="deleted", id=large)
    assert {row["rcpt"] for row in rows} == set(PEOPLE) and {row["uid"] for row in rows} == {"0"}
    assert {row["mailbox"] for row in rows} == set(PEOPLE)
    assert all(row["sender"] == "sender@example.net" and row["reply"] for row in rows)
    asked = stuck.log(event="operator", verb="queue_delete")
    assert len(asked) == 3 and asked[0]["rcpt"] == "bob@example.org"

    def told():
        text = stuck.cli("explain", large).stdout
        return text.count(" deleted ") == 2 and text.endswith("not in the queue any more\n")
    wait_for(told, "two records")
    done = stuck.cli("queue", "delete", first, check=False)
    assert done.returncode == 65 and f"{first} is not in the queue" in done.stderr
    unblock(stuck)
    stuck.restart()
    time.sleep(0.5)
    assert stuck.mails() == []


def test_each_filter_chooses(stuck):
    mails = {id_of(stuck.deliver(rcpts, MAIL, sender=sender)): (sender, rcpts)
             for sender, rcpts in (("one@example.net", "alice@example.org"),
                                   ("two@example.com", "Bob+tag@example.org"),
                                   ("", "alice@example.org"))}
    one, two, null = mails
    wait_tried(stuck, 3)

    def chosen(*args):
        return [row["id"] for row in queue(stuck, *args)]
    assert chosen("--sender", "ONE@example.net") == [one]
    assert chosen("--sender", "@example.COM") == [two]
    assert chosen("--sender", "<>") == [null]
    assert chosen("--recipient", "bob@example.org") == [two]
    assert chosen("--recipient", "bob+TAG@example.org") == [two]
    assert chosen("--recipient", "@example.org") == [one, two, null]
    assert chosen("--recipient", "@ple.org") == []
    assert chosen("--recipient", "alice@example.org", "--sender", "<>") == [null]
    reply = queue(stuck)[0]["reply"]
    assert reply and chosen("--reply", reply[1:9].upper()) == [one, two, null]
    assert chosen("--reply", "no such reply") == []
    assert chosen("--older", "1h") == [] and chosen("--newer", "1h") == [one, two, null]
    assert chosen("--older", "0") == [one, two, null]
    time.sleep(1.1)
    assert chosen("--older", "1s") == [one, two, null]
    assert change(stuck, "hold", "--sender", "<>")["changed"] == 1
    assert chosen("--state", "held") == [null] and chosen("--state", "waiting") == [one, two]
    assert chosen("--state", "out") == []
    assert stuck.cli("queue", "list", "--state", "out").stdout == "nothing in the queue fits\n"
    assert change(stuck, "delete", "--state", "held")["changed"] == 1
    assert change(stuck, "delete", "--recipient", "@example.org", "--newer", "1d",
                  "--reply", reply)["changed"] == 2
    assert chosen() == []


@pytest.mark.parametrize("args,said,code", [
    (["hold"], "which?", 64), (["delete"], "which?", 64),
    (["delete", "--all", "0000000000100"], "neither", 64),
    (["list", "--older", "soon"], "no age", 64), (["list", "--older", "-1"], "no age", 64),
    (["list", "--state", "lost"], "bad value of state", 76), (["flush", "0000000000100"], "usage", 64),
    (["hold", "not-an-id"], "no message id", 65), (["list", "--mailq", "--json"], "--mailq", 64),
    (["delete", "--sender", ""], "asks for nothing", 64), (["hold", "--reply", ""], "nothing", 64),
    (["delete", "--recipient", ""], "asks for nothing", 64), (["list", "--newer", "0s"], "nothing", 64),
    (["cat"], "usage", 64), (["cat", "0000000000100"], "not in the queue", 65),
    (["list", "--recipient", "x" * 321], "bad value of rcpt", 76)])
def test_what_is_called_wrongly_changes_nothing(server, args, said, code):
    done = server.cli("queue", *args, check=False)
    assert done.returncode == code and said in done.stderr, done
    assert done.stdout == ""


# ---- cat ----

@pytest.mark.parametrize("extra", [b"", b"x\r\n" * 60000 + bytes(range(1, 10)) + bytes(range(14, 256))
                                   + b"\r\n"])
def test_a_message_is_printed_as_it_was_kept(stuck, extra):
    sent = id_of(stuck.deliver("alice@example.org", MAIL + extra))
    wait_tried(stuck, 1)
    done = subprocess.run([stuck.build / "sekisho", "queue", "cat", sent, "-c", stuck.conf],
                          capture_output=True, check=True, timeout=30)
    head, _, rest = done.stdout.partition(b"From: s@example.net\n")
    assert head.startswith(b"Received: ") and sent.encode() in head
    assert b"From: s@example.net\n" + rest == (MAIL + extra).replace(b"\r\n", b"\n")
    assert len(done.stdout) == queue(stuck)[0]["size"]


# ---- mailq ----

def test_mailq_has_the_shape_of_postfix(stuck):
    assert stuck.cli("queue", "list", "--mailq").stdout == "Mail queue is empty\n"
    first = id_of(stuck.deliver(PEOPLE, MAIL))
    second = id_of(stuck.deliver("bob@example.org", MAIL, sender=""))
    wait_tried(stuck, 3)
    stuck.cli("queue", "hold", second)
    text = stuck.cli("queue", "list", "--mailq").stdout
    lines = text.splitlines()
    assert lines[0] == "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------"
    head = re.fullmatch(r"(\S{17}|\S+ +) +(\d+) (\w{3} \w{3} [ \d]\d [\d:]{8}) (.*)", lines[1])
    assert head and lines[1].index(head[3]) == 27 and head[1].rstrip() == first
    assert head[4] == "sender@example.net"
    rows = queue(stuck)
    reason = f"({rows[0]['reply']})"
    assert lines[2] == reason.rjust(78)
    assert lines[3] == " " * 47 + "alice@example.org" and lines[4] == " " * 47 + "bob@example.org"
    assert lines[5] == ""
    assert lines[6].split()[0] == f"{second}!" and lines[6].endswith(" MAILER-DAEMON")
    size = sum({row["id"]: row["size"] for row in rows}.values())
    assert lines[-2:] == ["", f"-- {size // 1024} Kbytes in 2 Requests."]
    # what scripts do: count requests, list ids of one sender
    assert len(re.findall(r"(?m)^[0-9A-Za-z]+[*!]?\s", text)) == 2


def test_a_summary_counts_domains(stuck):
    stuck.deliver(PEOPLE, MAIL)
    wait_tried(stuck, 2)
    lines = [line.split() for line in stuck.cli("queue", "list", "--summary").stdout.splitlines()]
    assert lines[0][:3] == ["T", "5", "10"]
    assert lines[1][:3] == ["TOTAL", "2", "2"] and lines[2][:3] == ["example.org", "2", "2"]
    row, = json_lines(stuck.cli("queue", "list", "--summary", "--json").stdout)
    assert row["domain"] == "example.org" and row["recipients"] == 2 and row["ages"][0] == 2


# ---- what is out ----

@pytest.fixture
def halted(new_server):
    """A server whose deliver has stopped with what it was handed: all of its queue is out."""
    server = new_server(options={"delivers": 1, "retry_first": 3600}).start()
    server.deliver("alice@example.org", MAIL)
    server.wait_delivered(1)[0].unlink()
    # it has asked for work by now, and has told of the first
    wait_for(lambda: queue(server) == [], "an empty queue")
    pid = server.kill_role("deliver", signal.SIGSTOP)
    yield server, pid
    if pid in server.pids("deliver"):
        server.kill_role("deliver", signal.SIGCONT)


def wait_out(server, count):
    wait_for(lambda: [row["state"] for row in queue(server)] == ["delivering"] * count,
             lambda: f"{count} out: {states(server)}")


def test_what_is_out_is_not_deleted_and_held_once_it_fails(halted):
    server, pid = halted
    sent = id_of(server.deliver(PEOPLE, MAIL))
    wait_out(server, 2)
    done = server.cli("queue", "delete", sent, check=False)
    assert done.returncode == 75 and "2 recipients are out for delivery" in done.stderr
    assert change(server, "retry", sent) == {"changed": 0, "same": 0, "out": 2}
    done = server.cli("queue", "hold", sent)
    assert done.stdout == "2 recipients held\n" and "held if that fails" in done.stderr
    told = json.loads(server.cli("status", "--json").stdout)["queue"]
    assert (told["waiting"], told["held"], told["delivering"]) == (0, 0, 2)
    # the deliver dies: what it had does not go out again
    server.kill_role("deliver", signal.SIGKILL)
    server.wait_replaced("deliver", pid)
    wait_for(lambda: {row["state"] for row in queue(server)} == {"held"}, "both held")
    time.sleep(0.3)
    assert server.mails() == []
    told = json.loads(server.cli("status", "--json").stdout)["queue"]
    assert (told["waiting"], told["held"], told["delivering"]) == (0, 2, 0)
    assert change(server, "release", "--all")["changed"] == 2
    server.wait_delivered(2)


def test_what_is_held_while_it_is_out_and_then_delivered_is_gone(halted):
    server, _ = halted
    sent = id_of(server.deliver(PEOPLE, MAIL))
    wait_out(server, 2)
    assert change(server, "hold", sent)["out"] == 2
    assert change(server, "release", sent, "--recipient", "bob@example.org")["changed"] == 1
    server.kill_role("deliver", signal.SIGCONT)
    server.wait_delivered(2)
    wait_for(lambda: queue(server) == [], "an empty queue")
    told = json.loads(server.cli("status", "--json").stdout)["queue"]
    assert (told["messages"], told["waiting"], told["held"]) == (0, 0, 0)


# ---- many ----

MANY = [f"user{n}@example.org" for n in range(100)]


@pytest.fixture
def full(stuck):
    """10,000 recipients that wait."""
    stuck.cli("user", "add", *MANY)
    with stuck.smtp() as client:
        client.hello()
        for n in range(100):
            client.envelope(f"sender{n % 10}@example.net", MANY)
            assert client.data(MAIL).code == 250

    def tried():
        told = json.loads(stuck.cli("status", "--json").stdout)["queue"]
        return told["waiting"] == 10000 and len(stuck.log(event="delivery")) == 10000
    wait_for(tried, "10,000 that were tried", 60)
    return stuck


def goes_page_by_page(server):
    with Operator(server.data_dir / "control.sock") as operator:
        rows, end = operator.ask(verb="queue_hold", sender="sender9@example.net")
        assert end["more"] and rows[0]["changed"] <= 128
        pages = 1
        while end["more"]:
            rows, end = operator.ask(verb="queue_hold", sender="sender9@example.net",
                                     id=end["id"], n=str(end["n"]))
            pages += 1
            assert rows[0]["changed"] <= 128
        assert pages >= 1000 / 128
    # one line of control's for the whole change
    assert len(server.log(event="operator", verb="queue_hold")) == 1


def test_ten_thousand_are_changed_while_mail_comes_and_goes(full):
    goes_page_by_page(full)
    assert len(queue(full, "--state", "held")) == 1000
    unblock(full)
    server, over = full, threading.Event()
    sent, failed = [], []

    def send():
        while not over.is_set():
            try:
                sent.append(server.deliver("bob@example.org", MAIL))
            except (AssertionError, OSError) as error:
                failed.append(error)
            time.sleep(0.01)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        for verb, args, count in (("hold", ["--recipient", "@example.org", "--sender", "@example.net",
                                            "--reply", "ot a dir"], 9000),
                                  ("delete", ["--sender", "sender0@example.net"], 1000),
                                  ("release", ["--sender", "sender1@example.net"], 1000),
                                  ("delete", ["--state", "held"], 8000)):
            begin = time.monotonic()
            assert change(server, verb, *args)["changed"] == count, verb
            assert time.monotonic() - begin < 20
    finally:
        over.set()
        sender.join()
    assert not failed and sent
    server.wait_delivered(1000 + len(sent), seconds=60)
    server.wait_delivered(len(sent), "bob@example.org")
    wait_for(lambda: queue(server) == [], "an empty queue")
    told = json.loads(server.cli("status", "--json").stdout)["queue"]
    assert (told["messages"], told["waiting"], told["held"]) == (0, 0, 0)


def test_retry_races_with_hold_and_delete(new_server, rng):
    """Whatever the order, each recipient is delivered once, or deleted with a record, never both."""
    rcpts = MANY[:20]
    server = new_server(options={"retry_first": 1}, accounts=rcpts).start()
    ids = [id_of(server.deliver(rcpts, MAIL)) for _ in range(20)]
    for _ in range(30):
        verb = rng.choice(["hold", "release", "retry", "delete"])
        server.cli("queue", verb, rng.choice(ids), "--recipient", rng.choice(rcpts), check=False)
    server.cli("queue", "release", "--all")
    server.cli("queue", "flush")
    wait_for(lambda: queue(server) == [], "an empty queue", 30)
    deleted = len(server.log(event="operator", verdict="deleted"))
    server.wait_delivered(len(ids) * len(rcpts) - deleted)
    told = json.loads(server.cli("status", "--json").stdout)["queue"]
    assert (told["messages"], told["waiting"], told["held"]) == (0, 0, 0)
