"""GET /metrics on the loopback: what collectors get, and that nobody there is in an operator's way."""

import http.client
import re
import signal
import socket
import time
import urllib.request

import pytest

from harness import wait_for
from harness.operator import Operator, prometheus
from harness.server import DOMAINS, free_port

ASK = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def served(new_server):
    port = free_port()
    server = new_server(options={"metrics": f"127.0.0.1:{port}"}).start()
    server.metrics_port = port
    return server


def dial(port, host="127.0.0.1"):
    return socket.create_connection((host, port), timeout=15)


def read_all(sock):
    got = b""
    while True:
        piece = sock.recv(65536)
        if not piece:
            return got
        got += piece


def exchange(port, octets):
    with dial(port) as sock:
        sock.sendall(octets)
        return read_all(sock)


def scrape(port, host="127.0.0.1"):
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=15) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return prometheus(answer.read().decode())


def test_a_collector_gets_what_the_operator_gets(served):
    got = scrape(served.metrics_port)
    assert got.keys() == prometheus(served.cli("metrics").stdout).keys()
    assert got[("sekisho_spool_open", "")] == 1
    head = exchange(served.metrics_port, ASK).split(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n") and "\r\nConnection: close" in head
    assert re.search(r"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", head)


@pytest.mark.parametrize("ask,status", [
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404), (b"POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"GET /metrics HTTP/1.1\nHost: a\n\n", 400), (b"\x16\x03\x01\x00\r\n\x00\xff", 400),
    (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 5000, 431), (ASK + ASK + b"GET /", 200)])
def test_one_request_one_answer(served, ask, status):
    answer = exchange(served.metrics_port, ask)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert (b"\r\nAllow: GET\r\n" in answer) == (status == 405)


def test_hostile_collectors_disturb_nobody(served, rng):
    """Slow, endless, binary, silent ones, many at once: a scrape and an operator get through."""
    pid = served.pids("control")
    socks = []
    for n in range(60):
        sock = dial(served.metrics_port)
        sock.sendall(rng.choice([b"", b"GET /metrics HTTP/1.1\r\n", bytes(rng.randrange(256) for _ in range(200)),
                                 b"GET /metrics HTTP/1.1\r\nX: " + b"y" * rng.randrange(4000), ASK * 20]))
        socks.append(sock)
    begin = time.monotonic()
    with Operator(served.data_dir / "control.sock") as operator:
        assert operator.ask(verb="status")[1] == {"end": True, "more": False}
    assert scrape(served.metrics_port)[("sekisho_spool_open", "")] == 1
    assert time.monotonic() - begin < 5
    assert served.cli("status").returncode == 0
    for sock in socks:
        sock.close()
    assert served.pids("control") == pid and scrape(served.metrics_port)


def test_one_who_does_not_answer_does_not_cost_the_scrape(served):
    pid = served.kill_role("state", signal.SIGSTOP)
    try:
        got = scrape(served.metrics_port)
    finally:
        served.kill_role("state", signal.SIGCONT)
    assert ("sekisho_connections", "") not in got and ("sekisho_queue_messages", "") in got
    assert served.pids("state") == [pid]


def listens(port, host="127.0.0.1"):
    try:
        return bool(scrape(port, host))
    except (OSError, http.client.HTTPException):
        return False


def test_a_reload_opens_moves_and_closes_it(served):
    old, new = served.metrics_port, free_port()
    waiting = dial(old)  # it asks after the reload: what has connected is served
    for address, port, host in ((f"127.0.0.1:{old}", old, "127.0.0.1"), (f"[::1]:{new}", new, "[::1]")):
        served.write_conf({"metrics": address}, DOMAINS)
        served.cli("reload")
        assert listens(port, host)
    assert not listens(old)
    waiting.sendall(ASK)
    assert read_all(waiting).startswith(b"HTTP/1.1 200 ")
    served.wait_replaced("control", served.kill_role("control"))
    wait_for(lambda: listens(new, "[::1]"), "the new control")
    served.write_conf({}, DOMAINS)
    served.cli("reload")
    assert not listens(new, "[::1]")


def test_an_address_that_is_taken_leaves_all_as_it_was(served):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        served.write_conf({"metrics": f"127.0.0.1:{taken.getsockname()[1]}"}, DOMAINS)
        done = served.cli("reload", check=False)
        assert done.returncode == 75 and "metrics" in done.stderr
    assert listens(served.metrics_port)


@pytest.mark.parametrize("address", ["0.0.0.0:9100", "*:9100", "192.0.2.1:9100", "127.0.0.1", "[::]:9100",
                                     "[::ffff:127.0.0.1]:9100", "localhost:9100", "127.0.0.1:0", "::1:9100"])
def test_check_refuses_what_is_no_loopback(new_server, address):
    server = new_server(options={"metrics": address}, accounts=())
    done = server.cli("check", check=False)
    assert done.returncode == 78, done
    assert re.search(r"sekisho\.conf:\d+: metrics: expected a loopback address", done.stdout + done.stderr)
