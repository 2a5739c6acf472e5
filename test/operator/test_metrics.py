"""`sekisho metrics` is Prometheus' text format 0.0.4, strictly, and its numbers are true."""

import re
import signal

from harness import wait_for
from harness.operator import Operator, id_of

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\n]*\",?)*)\}})? (-?[0-9.]+)")


def metrics(server, code=0):
    """(name, labels) -> value; each line must be what the format allows, in its order."""
    done = server.cli("metrics", check=False)
    assert done.returncode == code, done
    assert done.stdout.endswith("\n") or code
    found, helped, typed, seen = {}, set(), {}, None
    for line in done.stdout.splitlines():
        if line.startswith("# HELP "):
            name, text = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and name not in helped and text and "\\" not in text
            helped.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert kind in ("counter", "gauge") and name in helped and name not in typed
            assert (kind == "counter") == name.endswith("_total")
            typed[name], seen = kind, name
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample and sample[1] == seen, line
            key = (sample[1], sample[2] or "")
            assert key not in found, line
            found[key] = float(sample[3])
    return found


def value(server, name):
    return metrics(server)[(name, "")]


def test_all_of_it_is_counted(stuck):
    sent = id_of(stuck.deliver(["alice@example.org", "bob@example.org"], MAIL))
    wait_for(lambda: value(stuck, "sekisho_deferrals_total") >= 2, "two tries")
    stuck.cli("queue", "hold", sent, "--recipient", "bob@example.org")
    got = metrics(stuck)
    assert got[("sekisho_messages_kept_total", "")] == 1
    assert got[("sekisho_queue_messages", "")] == got[("sekisho_queue_held", "")] == 1
    assert got[("sekisho_queue_waiting", "")] == 1 and got[("sekisho_spool_open", "")] == 1
    assert got[("sekisho_queue_oldest_seconds", "")] < 60
    stuck.cli("queue", "delete", sent, "--recipient", "bob@example.org")
    (stuck.data_dir / "mail" / "example.org").unlink()
    stuck.cli("queue", "flush")
    stuck.wait_delivered(1)
    wait_for(lambda: value(stuck, "sekisho_deliveries_total") == 1, "one delivery")
    got = metrics(stuck)
    assert got[("sekisho_deleted_total", "")] == 1 and got[("sekisho_queue_messages", "")] == 0

    for role in ("master", "edge", "spool", "deliver", "control"):
        labels = f'role="{role}",index="0"'
        assert got[("sekisho_process_up", labels)] == 1
        assert 100_000 < got[("sekisho_process_memory_bytes", labels)] < 200_000_000
        assert got[("sekisho_process_cpu_seconds_total", labels)] >= 0
        assert got[("sekisho_process_start_time_seconds", labels)] > 1_600_000_000


def test_what_nobody_says_is_left_out(server):
    pid = server.kill_role("spool", signal.SIGSTOP)
    labels = {name for name, _ in metrics_without_spool(server)}
    server.wait_replaced("spool", pid)
    assert "sekisho_queue_messages" not in labels and "sekisho_connections" in labels
    wait_for(lambda: ("sekisho_queue_messages", "") in metrics(server), "the new spool")


def metrics_without_spool(server):
    """Without waiting for a spool that does not answer: it dies while it is asked."""
    with Operator(server.data_dir / "control.sock") as operator:
        operator.send(b'{"verb":"metrics"}\n')
        server.kill_role("spool", signal.SIGKILL)
        found = set()
        while "row" in (line := operator.line()):
            sample = SAMPLE.fullmatch(line["row"]["text"])
            if sample:
                found.add((sample[1], sample[2]))
        assert line == {"end": True, "more": False}
        return found
