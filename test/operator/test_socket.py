"""The operator's socket: who may speak to it, and what nobody can do to it."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from harness import wait_for
from harness.operator import Operator, id_of

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"

NOBODY = 65534


def control_socket(server):
    return server.data_dir / "control.sock"


def asks_well(server):
    """It still serves, and is still the process it was."""
    with Operator(control_socket(server)) as operator:
        rows, end = operator.ask(verb="user_list")
        assert [row["address"] for row in rows] == ["alice@example.org", "bob@example.org"]
        assert end == {"end": True, "more": False}
    return server.pids("control")


# ---- without a server ----

@pytest.mark.parametrize("args", [("queue", "list"), ("queue", "show", "0000000000100"),
                                  ("explain", "0000000000100"), ("status",)])
def test_without_a_server_there_is_nobody_to_ask(new_server, args):
    server = new_server()
    done = server.cli(*args, check=False)
    assert done.returncode == 69 and done.stdout == ""
    assert done.stderr.startswith(f"sekisho: sekisho is not running ({control_socket(server)}: ")


@pytest.mark.parametrize("args,status,said", [
    (("queue", "--help"), 0, "queue list"), (("queue", "list", "--help"), 0, "--json"),
    (("queue", "show", "--help"), 0, "ID"), (("user", "--help"), 0, "user add"),
    (("user", "add", "--help"), 0, "ADDRESS"), (("user", "list", "--help"), 0, "--json"),
    (("explain", "--help"), 0, "ID"), (("status", "--help"), 0, "--json"), (("status", "x"), 64, ""),
    (("queue",), 64, ""), (("queue", "drop"), 64, ""), (("queue", "list", "--all"), 64, ""),
    (("queue", "list", "more"), 64, ""), (("queue", "show"), 64, ""), (("user", "add"), 64, ""),
    (("user", "add", "--json", "a@example.org"), 64, ""), (("explain",), 64, ""),
    (("explain", "a", "b"), 64, ""),
])
def test_usage(new_server, args, status, said):
    server = new_server(accounts=())
    done = server.cli(*args, check=False)
    assert done.returncode == status, done
    assert said in done.stdout
    assert bool(done.stderr) == bool(status)


# ---- strangers ----

def as_nobody(server, *args):
    return subprocess.run(
        [shutil.which("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
         server.build / "sekisho", *args, "-c", server.conf],
        capture_output=True, text=True, timeout=30, check=False, cwd="/")


@pytest.mark.needs_root("becomes somebody else")
@pytest.mark.needs_tool("setpriv")
@pytest.mark.parametrize("args", [("queue", "list"), ("explain", "0000000000100"),
                                  ("user", "list"), ("user", "add", "eve@example.org")])
def test_another_user_is_refused(server, args):
    if not os.access(server.build, os.X_OK) or as_nobody(server, "version").returncode:
        pytest.skip("another user cannot run the commands from this build folder")
    done = as_nobody(server, *args)
    assert done.returncode == 77, done
    assert "Permission denied" in done.stderr

    control_socket(server).chmod(0o666)  # an operator's mistake
    done = as_nobody(server, *args)
    assert done.returncode == 77, done
    assert done.stderr == "sekisho: not permitted\n"
    row, *_ = server.wait_log(event="operator_refused", uid=NOBODY)
    assert row["level"] == "warn"
    assert "eve@example.org" not in server.cli("user", "list").stdout


@pytest.mark.needs_root("becomes somebody else")
@pytest.mark.needs_tool("setpriv")
def test_strangers_cannot_fill_the_log(server):
    control_socket(server).chmod(0o666)
    storm = ("import socket, sys\n"
             "for i in range(500):\n"
             "    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.close()\n")
    begin = time.monotonic()
    subprocess.run([shutil.which("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}",
                    "--clear-groups", "/usr/bin/python3", "-c", storm, control_socket(server)],
                   check=True, timeout=30)
    asks_well(server)
    lines = server.wait_log(event="operator_refused")
    assert len(lines) <= time.monotonic() - begin + 1


# ---- hostile input ----

def hostile_line(rng):
    """Noise, or a good request with a few octets changed."""
    good = [{"verb": "queue_list"}, {"verb": "queue_show", "id": "0000000000100", "n": "3"},
            {"verb": "explain", "id": "0000000000100", "skip": "0"}, {"verb": "status"},
            {"verb": "user_add", "address": "mallory@elsewhere.example"}, {"verb": "user_list"},
            {"verb": "queue_hold", "only": "0000000000100", "state": "waiting", "older": "60"},
            {"verb": "queue_delete", "sender": "<>", "rcpt": "@example.org", "reply": "full"},
            {"verb": "queue_body", "id": "0000000000100", "at": "40960"}, {"verb": "metrics"},
            {"verb": "copy_spool", "act": "0"}, {"verb": "copy_accounts", "act": "1"},
            {"verb": "copy_journal", "act": "2"}]
    if rng.random() < 0.3:
        return rng.randbytes(rng.choice([1, 10, 100, 5000, 20000]))
    line = bytearray(json.dumps(rng.choice(good)).encode())
    for _ in range(rng.randrange(4)):
        line[rng.randrange(len(line))] = rng.randrange(256)
    return bytes(line[:rng.randrange(1, len(line) + 1)]) + rng.choice([b"\n", b"\r\n", b"\n\n", b""])


def test_random_octets_never_kill_it(server, rng):
    before = asks_well(server)
    for _ in range(300):
        with Operator(control_socket(server)) as operator:
            try:
                for _ in range(rng.randrange(1, 4)):
                    operator.send(hostile_line(rng))
                if rng.random() < 0.5:
                    operator.send(b"\n")
                    operator.line()
            except (BrokenPipeError, ConnectionResetError):
                pass  # it cut us off
    assert asks_well(server) == before


@pytest.mark.parametrize("line", [b"[" * 8000, b'{"a":' * 1600, b"{}", b"\xff\xfe", b'"verb"',
                                  b'{"verb":"queue_list","verb":"user_list"}',
                                  b'{"verb":"shutdown"}', b'{"verb":"user_add","address":"\\u0000"}'])
def test_what_is_no_request_is_answered_with_an_error(server, line):
    with Operator(control_socket(server)) as operator:
        operator.send(line + b"\n")
        answer = operator.line()
        assert answer["error"] and answer["exit"] == 76
        assert operator.ask(verb="queue_list") == ([], {"end": True, "more": False})


def test_a_line_without_end_is_cut_off(server):
    with Operator(control_socket(server)) as operator:
        operator.send(b"x" * 8192)
        assert "8192" in operator.line()["error"]
        assert operator.line() is None
    asks_well(server)


def test_who_does_not_read_holds_up_nobody(server):
    deaf = [Operator(control_socket(server)) for _ in range(8)]
    for one in deaf:
        one.sock.setblocking(False)
        try:
            while True:
                one.send(b'{"verb":"user_list"}\n' * 100)
        except BlockingIOError:
            pass
    asks_well(server)
    server.deliver("alice@example.org", MAIL)
    for one in deaf:
        one.sock.close()
    asks_well(server)


def test_seventeen_at_once_are_one_too_many(server):
    held = [Operator(control_socket(server)) for _ in range(16)]
    with Operator(control_socket(server)) as late:
        assert late.line() == {"error": "too many operators at once, try again", "exit": 75}
    held.pop().sock.close()
    wait_for(lambda: server.cli("user", "list", check=False).returncode == 0, "a place")
    for one in held:
        one.sock.close()


# ---- the others' deaths ----

@pytest.mark.parametrize("role,request_", [
    ("spool", {"verb": "queue_list"}), ("vault", {"verb": "user_list"}),
    ("store", {"verb": "explain", "id": "0000000000100"})])
def test_it_survives_those_it_asks(server, role, request_):
    control = asks_well(server)
    pid = server.kill_role(role, signal.SIGSTOP)
    with Operator(control_socket(server)) as operator:
        operator.send(json.dumps(request_).encode() + b"\n")
        server.kill_role(role, signal.SIGKILL)
        assert operator.line() == {"error": f"{role} is not there, try again", "exit": 75}
        server.wait_replaced(role, pid)

        def answered():
            _, end = operator.ask(**request_)
            return "end" in end
        wait_for(answered, f"an answer of the new {role}")
    assert server.pids("control") == control


def test_control_itself_is_replaced(server):
    server.wait_replaced("control", server.kill_role("control"))
    wait_for(lambda: server.cli("user", "list", check=False).returncode == 0, "the new control")
    sent = id_of(server.deliver("alice@example.org", MAIL))
    server.wait_delivered(1)
    wait_for(lambda: server.cli("explain", sent, check=False).returncode == 0, "its explanation")
