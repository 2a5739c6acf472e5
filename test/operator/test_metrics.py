"""`sekisho metrics` is Prometheus' text format 0.0.4, strictly, and its numbers are true."""

import json
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


def settled(server, name, labels, expected):
    return wait_for(lambda: metrics(server)[(name, labels)] == expected, f"{name} {expected}")


def test_counters_outlive_generations_and_deaths(server):
    """What edges counted that a reload took away, or that died, stays in the sum."""
    kept = ("sekisho_decisions_total", 'reason="kept"')
    for n in range(3):
        server.deliver("alice@example.org", MAIL)
        settled(server, *kept, n + 1)
        server.cli("reload")
    wait_for(lambda: all(row["state"] != "leaving" for row in processes(server)), "the old edges to leave")
    settled(server, *kept, 3)
    wait_for(lambda: metrics(server)[("sekisho_route_deliveries_total", 'route="maildir"')] == 3, "deliveries")
    for role in ("spool", "vault", "state"):
        server.wait_replaced(role, server.kill_role(role))
    server.wait_greeting()
    server.deliver("alice@example.org", MAIL)
    settled(server, *kept, 4)
    got = wait_for(lambda: (new := metrics(server))[("sekisho_route_deliveries_total", 'route="maildir"')] == 4
                   and new, "the next delivery")
    assert got[("sekisho_recipients_total", 'verdict="mailbox"')] == 4
    assert got[("sekisho_sessions_total", 'service="smtp"')] >= 4
    assert got[("sekisho_messages_kept_bytes_total", "")] > 4 * len(MAIL)
    assert got[("sekisho_reloads_total", "")] == 3 and got[("sekisho_reloads_refused_total", "")] == 0
    # a new control begins at 0 and goes on from there
    server.wait_replaced("control", server.kill_role("control"))
    wait_for(lambda: server.cli("metrics", check=False).returncode == 0, "the new control")
    assert metrics(server)[kept] == 0
    server.deliver("alice@example.org", MAIL)
    settled(server, *kept, 1)


def processes(server):
    return json.loads(server.cli("status", "--json", check=False).stdout)["processes"]


def test_routes_and_ages_and_rates(stuck):
    stuck.deliver(["alice@example.org", "bob@example.org"], MAIL)
    wait_for(lambda: value(stuck, "sekisho_deferrals_total") >= 2, "two tries")
    stuck.cli("queue", "hold", "--recipient", "bob@example.org")
    got = metrics(stuck)
    maildir = 'route="maildir"'
    assert got[("sekisho_route_waiting", maildir)] == got[("sekisho_route_held", maildir)] == 1
    assert got[("sekisho_route_deferrals_total", maildir)] == 2
    assert got[("sekisho_route_oldest_seconds", maildir)] < 60
    assert got[("sekisho_queue_messages_by_age", 'age="5m"')] == 1
    told = json.loads(stuck.cli("status", "--json").stdout)
    assert told["counted"]["ages"] == {"5m": 1, "1h": 0, "1d": 0, "older": 0}
    assert told["counted"]["held"] == {"maildir": 1, "user": 0, "lmtp": 0}
    minute = told["rates"]["minute"]
    assert 0 < minute["seconds"] <= 70 and minute["accepted"] > 0 and minute["deferred"] > minute["accepted"]
    lines = stuck.cli("status").stdout
    assert "ages         messages: 1 to 5 min, 0 to 1 h, 0 to 1 d, 0 older" in lines
    assert "by maildir   recipients: 1 waiting or out, " in lines and "\nminute " in lines
