"""RLD-1: reloads under load lose, refuse and repeat nothing, and leave nothing behind."""

import json
import os
import random
import signal
import time

from harness import Ledger, Load, wait_for

GENERATIONS = 100
DOMAINS = {"example.org": 'alias "postmaster" { to = {"alice"} }'}
BAD = ("edgs = 3\n", "edges = 0\n", 'domain "example.org" {}\n', "listen {\n", "edges = 3 edges = 3\n",
       'domain "x.example" { same_as = "nowhere.example" }\n')


def reloaded(server):
    return server.log_octets().count(b" event=reloaded ")


def refused(server):
    """Reloads, not the lines that say why."""
    return server.log_octets().count(b" is not in force")


def processes(server):
    told = json.loads(server.cli("status", "--json", check=False).stdout)
    return sorted((row["role"], row["state"]) for row in told["processes"])


def descriptors(server):
    """Of each role, the most that one of its processes holds."""
    most = {}
    for pid, name in server.family().items():
        most[name] = max(most.get(name, 0), len(os.listdir(f"/proc/{pid}/fd")))
    return most


def at_rest(server):
    def nobody_leaves():
        return all(state == "running" for _, state in processes(server))
    wait_for(nobody_leaves, "all old processes to leave", 20)
    return processes(server), descriptors(server)


def kill_one(server, role, rng):
    """False where there is none now: it leaves, or is being replaced."""
    pids = server.pids(role)
    try:
        os.kill(rng.choice(pids), signal.SIGKILL) if pids else None
    except ProcessLookupError:
        return False
    return bool(pids)


def test_100_reloads_under_load(new_server, rng):
    options = {"max_connections_client": 1000, "log_level": "info"}
    server = new_server(options=options, domains=DOMAINS).start()
    ledger = Ledger()
    with Load(server.port, ledger, most=10) as load:  # delivers keep folders open
        load.wait_all()
    before = at_rest(server)
    with Load(server.port, ledger, connections=4, seed=rng.randrange(2**31)) as load:
        load.wait_kept(20)
        good = 0
        for n in range(GENERATIONS):
            server.write_conf({**options, "message_size": 60000000 + n}, DOMAINS,
                              rng.choice(BAD) if n % 2 else "")
            os.kill(server.process.pid, signal.SIGHUP)
            if n % 2 == 0:
                good += 1
            wait_for(lambda: reloaded(server) == good and refused(server) == n + 1 - good,
                     lambda: f"reload {n}")
        load.wait_kept(20)
    assert ledger.failures == {}, ledger.failures
    assert all(e.code == 250 for e in ledger.entries.values() if e.dot_sent)
    server.write_conf(options, DOMAINS)
    assert at_rest(server) == before
    ledger.settle(server, crashes=0)


def test_a_role_dies_in_the_middle_of_a_reload(new_server, rng):
    """Whatever ends meanwhile: each reload comes to an end, and what was kept is delivered."""
    options = {"max_connections_client": 1000}
    server = new_server(options=options, domains=DOMAINS).start()
    ledger = Ledger()
    victims = ["edge", "edge", "vault", "spool", "writer", "control", "state", "store", "deliver",
               "logger"]
    rng.shuffle(victims)
    with Load(server.port, ledger, connections=4, seed=rng.randrange(2**31)) as load:
        load.wait_kept(10)
        for n, victim in enumerate(victims):
            server.write_conf({**options, "message_size": 60000000 + n}, DOMAINS)
            os.kill(server.process.pid, signal.SIGHUP)
            time.sleep(rng.random() * 0.03)
            wait_for(lambda: kill_one(server, victim, rng), victim)
            load.wait_kept(5)
    wait_for(lambda: server.cli("reload", check=False).returncode == 0, "a reload")
    told, _ = at_rest(server)
    assert [role for role, _ in told].count("edge") == 2
    assert [role for role, _ in told].count("deliver") == 2
    ledger.settle(server, crashes=len(victims))
