"""`sekisho metrics` is Prometheus' text format 0.0.4, strictly, and its numbers are true."""

import signal

from harness import wait_for
from harness.operator import SAMPLE, Operator, id_of, prometheus

MAIL = b"From: s@example.net\r\nSubject: operator\r\n\r\nbody\r\n"


def metrics(server):
    return prometheus(server.cli("metrics").stdout)


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
