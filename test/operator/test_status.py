"""`sekisho status` tells whether all of the server runs, and what it holds."""

import json
import signal

import pytest

from harness import wait_for
from harness.operator import Operator, id_of
from harness.smtp import Smtp

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"
ROLES = {"control", "deliver", "edge", "logger", "remote", "spool", "state", "store", "vault", "writer"}


@pytest.fixture
def server(new_server):
    """One that has all roles: mail of one of its domains goes on by LMTP."""
    return new_server(
        domains={"example.org": "", "far.example": 'deliver = "lmtp:/nobody"'}).start()


def status(server, code=0):
    done = server.cli("status", "--json", check=False)
    assert done.returncode == code, done
    assert bool(done.stderr) == bool(code)
    return json.loads(done.stdout)


def wait_all(server):
    """Once all run, and the connection that waited for the greeting has ended."""
    def all_run():
        done = server.cli("status", "--json", check=False)
        told = done.returncode == 0 and json.loads(done.stdout)
        return told and told["connections"]["now"] == 0 and told
    return wait_for(all_run, "all roles")


def of_role(told, role):
    return [row for row in told["processes"] if row["role"] == role]


def test_a_running_server_says_what_it_is(server):
    told = wait_all(server)

    assert set(told) == {"version", "pid", "since", "uptime", "processes", "connections", "queue",
                         "counted", "rates", "silent"}
    assert told["pid"] == server.process.pid and 0 <= told["uptime"] < 600
    assert {row["role"] for row in told["processes"]} == ROLES
    for row in told["processes"]:
        assert set(row) == {"role", "index", "state", "pid", "since", "replaced", "log",
                            "missing_walls", "memory", "cpu_us"}
        assert row["state"] == "running" and row["replaced"] == 0
        assert row["since"] >= told["since"]
    for role in ROLES:
        assert {row["pid"] for row in of_role(told, role)} == set(server.pids(role))
    assert told["silent"] == [] and told["connections"] == {"now": 0, "clients": 0}
    queue = told["queue"]
    assert queue.pop("free") > 0
    assert queue.pop("since_start") == {"kept": 0, "delivered": 0, "deferred": 0, "stopped": 0,
                                        "deleted": 0}
    assert queue == {"messages": 0, "waiting": 0, "held": 0, "delivering": 0, "oldest": None,
                     "oldest_arrived": None, "open": True}


@pytest.mark.needs_root("unprivileged, walls are missing")
def test_as_root_no_wall_is_missing(server):
    assert all(row["missing_walls"] == [] for row in wait_all(server)["processes"])


def test_people_read_a_table(server):
    wait_all(server)
    lines = server.cli("status").stdout.splitlines()
    assert lines[0].startswith("sekisho ") and f"pid {server.process.pid}, up 0d 00:0" in lines[0]
    assert lines[2].split()[:3] == ["ROLE", "STATE", "PID"]
    assert {line.split()[0] for line in lines[3:lines.index("", 3)]} == ROLES
    assert "connections  0 of 0 clients" in lines
    assert "queue        0 messages; recipients: 0 waiting, 0 held, 0 out" in lines
    assert lines[-1].endswith("MiB: new mail is taken")


def test_connections_are_counted(server):
    wait_all(server)
    with Smtp(server.port, server.host) as one, Smtp(server.port, server.host) as two:
        assert one.reply().code == two.reply().code == 220
        assert status(server)["connections"] == {"now": 2, "clients": 1}
    wait_for(lambda: status(server)["connections"]["now"] == 0, "their end")


def test_the_queue_is_counted_over_restarts(stuck):
    wait_all(stuck)

    def waiting(count):
        queue = status(stuck)["queue"]
        return queue["waiting"] == count and queue["delivering"] == 0 and queue

    first = id_of(stuck.deliver(["alice@example.org", "bob@example.org"], MAIL))
    stuck.deliver("bob@example.org", MAIL)
    queue = wait_for(lambda: waiting(3), "three that wait")
    assert queue["messages"] == 2 and queue["held"] == 0 and queue["oldest"] == first
    stuck.wait_replaced("spool", stuck.kill_role("spool"))
    wait_all(stuck)
    queue = wait_for(lambda: waiting(3), "three that wait still")
    assert queue["messages"] == 2 and queue["oldest"] == first

    (stuck.data_dir / "mail" / "example.org").unlink()
    stuck.deliver("bob@example.org", MAIL)
    stuck.wait_delivered(1)
    wait_for(lambda: status(stuck)["queue"]["messages"] == 2, "the delivered one to leave")


@pytest.mark.parametrize("role", ["store", "control"])
def test_a_replaced_role_is_told_of(server, role):
    before = of_role(wait_all(server), role)[0]
    server.wait_replaced(role, server.kill_role(role))
    told = wait_all(server)
    after = of_role(told, role)[0]
    assert after["replaced"] == 1 and after["pid"] != before["pid"]
    assert after["since"] > before["since"]
    assert {row["role"] for row in told["processes"]} == ROLES


@pytest.mark.parametrize("role,part", [("spool", "queue"), ("state", "connections")])
def test_what_is_known_is_told_without_the_one_that_died(server, role, part):
    wait_all(server)
    pid = server.kill_role(role, signal.SIGSTOP)
    with Operator(server.data_dir / "control.sock") as operator:
        operator.send(b'{"verb":"status"}\n')
        server.kill_role(role, signal.SIGKILL)
        told = operator.line()["row"]
        assert told["silent"] == [role] and told[part] is None
        assert operator.line() == {"end": True, "more": False}
    server.wait_replaced(role, pid)
    assert wait_all(server)[part] is not None


def test_one_that_does_not_answer_in_time_is_named(server):
    wait_all(server)
    pid = server.kill_role("state", signal.SIGSTOP)
    try:
        done = server.cli("status", check=False, seconds=60.0)
    finally:
        server.kill_role("state", signal.SIGCONT)
    assert done.returncode == 75 and done.stderr == "sekisho: not all of it runs: state\n"
    assert "connections  not known: state does not answer" in done.stdout
    assert server.pids("state") == [pid]
    wait_all(server)
