"""A running server takes a new configuration: SIGHUP, sekisho reload."""

import json
import os
import signal
import socket

from harness import Smtp, wait_for
from harness.server import free_port

DOMAINS = {"example.org": 'alias "postmaster" { to = {"alice"} }'}


def reloaded(server):
    return len(server.log(role="master", event="reloaded"))


def hup(server):
    """SIGHUP with a good file."""
    before = reloaded(server)
    os.kill(server.process.pid, signal.SIGHUP)
    wait_for(lambda: reloaded(server) > before, "the reload")


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def roles(server):
    """How many of each role run, once none is on its way out."""
    told = json.loads(server.cli("status", "--json", check=False).stdout)
    names = [row["role"] for row in told["processes"]]
    assert all(row["state"] == "running" for row in told["processes"]), told
    return {name: names.count(name) for name in names}


def settle(server):
    def still():
        told = json.loads(server.cli("status", "--json", check=False).stdout)
        return all(row["state"] == "running" for row in told["processes"])
    wait_for(still, "all old processes to leave")
    return roles(server)


def answer(server, rcpt, port=None):
    with Smtp(port or server.port) as client:
        client.hello()
        client.cmd("MAIL FROM:<x@example.net>")
        return client.cmd(f"RCPT TO:<{rcpt}>").code


def test_new_domains_and_aliases_are_known(new_server):
    server = new_server(domains=DOMAINS).start()
    assert answer(server, "alice@example.com") == 554
    assert answer(server, "team@example.org") == 550

    server.write_conf({}, {
        "example.org": 'alias "postmaster" { to = {"alice"} } alias "team" { to = {"bob"} }',
        "example.com": 'same_as = "example.org"'})
    server.cli("reload")
    assert answer(server, "alice@example.com") == 250
    assert answer(server, "team@example.org") == 250

    server.write_conf({}, DOMAINS)
    hup(server)
    assert answer(server, "alice@example.com") == 554
    assert answer(server, "team@example.org") == 550
    server.deliver(["alice@example.org"], b"Subject: x\r\n\r\nx\r\n")
    server.wait_delivered(1)


def test_an_open_session_keeps_its_limits_and_a_new_one_has_the_new(new_server):
    server = new_server(domains=DOMAINS).start()
    with Smtp(server.port) as old:
        old.hello()
        server.write_conf({"message_size": 65536, "smtp_max_rcpt": 100}, DOMAINS)
        server.cli("reload")
        with Smtp(server.port) as new:
            assert "SIZE 65536" in str(new.hello())
            assert new.cmd("MAIL FROM:<x@example.net> SIZE=100000").code == 552
        assert old.cmd("MAIL FROM:<x@example.net> SIZE=100000").code == 250
        assert old.cmd("RCPT TO:<alice@example.org>").code == 250
        assert old.data(b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 40000).code == 250
        old.quit()
    server.wait_delivered(1)
    assert settle(server)["edge"] == 2


def test_more_recipients_than_the_new_limit_in_an_old_session(new_server):
    server = new_server(options={"smtp_max_rcpt": 300}, domains={
        "example.org": 'catch_all = "alice" alias "postmaster" { to = {"alice"} }'}).start()
    with Smtp(server.port) as old:
        old.hello()
        assert old.cmd("MAIL FROM:<x@example.net>").code == 250
        for n in range(150):
            assert old.cmd(f"RCPT TO:<u{n}@example.org>").code == 250
        server.write_conf({"smtp_max_rcpt": 100}, {
            "example.org": 'catch_all = "alice" alias "postmaster" { to = {"alice"} }'})
        server.cli("reload")
        assert old.data(b"Subject: x\r\n\r\nx\r\n").code == 250
        old.quit()
    server.wait_delivered(1)


def test_connection_limits_hold_at_once(new_server):
    server = new_server(domains=DOMAINS).start()
    with Smtp(server.port) as one, Smtp(server.port) as two:
        one.hello(), two.hello()
        server.write_conf({"max_connections_client": 2}, DOMAINS)
        server.cli("reload")
        with Smtp(server.port) as three:
            assert three.reply().code == 421
        one.quit(), two.quit()
    with Smtp(server.port) as four:
        wait_for(lambda: four.reply().code == 220, "a place")


def test_a_bad_file_changes_nothing(new_server):
    server = new_server(domains=DOMAINS).start()
    edges = server.pids("edge")
    good = server.conf.read_text()
    server.conf.write_text(good + "edgs = 3\n")

    done = server.cli("reload", check=False)
    assert done.returncode == 78 and "edgs" in done.stderr

    os.kill(server.process.pid, signal.SIGHUP)
    refused = server.wait_log(role="master", event="reload_refused")
    assert f"{server.conf}:{good.count(chr(10)) + 1}: " in refused[0]["text"]
    assert "edgs" in refused[0]["text"]
    assert server.pids("edge") == edges and reloaded(server) == 0
    assert answer(server, "alice@example.org") == 250


def test_a_file_that_is_gone_changes_nothing(new_server):
    server = new_server(domains=DOMAINS).start()
    good = server.conf.read_text()
    server.conf.unlink()
    os.kill(server.process.pid, signal.SIGHUP)
    server.wait_log(role="master", event="reload_refused")
    assert answer(server, "alice@example.org") == 250
    server.conf.write_text(good)
    server.cli("reload")


def test_listeners_come_and_go(new_server):
    server = new_server(domains=DOMAINS).start()
    other = free_port()
    more = f'listen "more" {{ address = "127.0.0.1:{other}" }}\n'
    server.write_conf({}, DOMAINS, more)
    server.cli("reload")
    assert answer(server, "alice@example.org", other) == 250

    with Smtp(other) as held:
        held.hello()
        server.write_conf({}, DOMAINS)
        server.cli("reload")
        try:
            with Smtp(other):
                raise AssertionError("a removed listener accepts")
        except ConnectionRefusedError:
            pass
        assert held.cmd("NOOP").code == 250
        held.quit()
    assert answer(server, "alice@example.org") == 250


def test_a_listener_that_cannot_be_bound_refuses_the_reload(new_server):
    server = new_server(domains=DOMAINS).start()
    edges = server.pids("edge")
    other = new_server(domains=DOMAINS).start()  # has its port
    server.write_conf({"message_size": 65536}, DOMAINS,
                      f'listen "taken" {{ address = "127.0.0.1:{other.port}" }}\n')
    before = descriptors(server)
    done = server.cli("reload", check=False)
    assert done.returncode == 75 and "taken" in done.stderr
    assert server.pids("edge") == edges and descriptors(server) == before
    assert answer(server, "alice@example.org") == 250


def test_a_unix_socket_comes_changes_and_goes(new_server):
    server = new_server(domains=DOMAINS).start()
    path = server.dir / "smtp"

    def conf(mode):
        server.write_conf({}, DOMAINS, f'listen "here" {{ address = "unix:{path}" mode = "{mode}" }}')
        server.cli("reload")
        assert path.stat().st_mode & 0o777 == int(mode, 8)
        return path.stat().st_ino

    def greeting():
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            return client.recv(100)[:4]

    first = conf("0600")
    assert greeting() == b"220 "
    assert conf("0666") == first  # the same socket: nobody who connects notices
    assert greeting() == b"220 "
    server.write_conf({}, DOMAINS)
    server.cli("reload")
    assert not path.exists()


def test_numbers_of_processes_change(new_server):
    server = new_server(domains=DOMAINS).start()
    for edges, delivers, writers in ((4, 3, 4), (1, 1, 1), (2, 4, 3)):
        server.write_conf({"edges": edges, "delivers": delivers, "writers": writers}, DOMAINS)
        server.cli("reload")
        told = settle(server)
        assert (told["edge"], told["deliver"], told["writer"]) == (edges, delivers, writers)
        for _ in range(2 * edges):  # bodies that go through writers, whichever
            server.deliver(["alice@example.org"], b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n" * 50000)
    server.wait_delivered(14)


def test_writers_stay_for_the_edges_that_know_them(new_server):
    server = new_server(options={"writers": 3}, domains=DOMAINS).start()
    with Smtp(server.port) as old:
        old.hello()
        server.write_conf({"writers": 1}, DOMAINS)
        server.cli("reload")
        assert len(server.pids("writer")) == 3
        for _ in range(6):
            old.cmd("MAIL FROM:<x@example.net>")
            old.cmd("RCPT TO:<alice@example.org>")
            assert old.data(b"Subject: x\r\n\r\n" + b"\r\n" * 100000).code == 250
        old.quit()
    wait_for(lambda: len(server.pids("writer")) == 1, "the other writers to leave")
    server.wait_delivered(6)


def test_what_needs_a_restart_stays_as_it_is(new_server):
    server = new_server(domains=DOMAINS).start()
    text = server.conf.read_text()
    server.conf.write_text(text + "uid_base = 40000\nmessage_size = 65536\n")
    done = server.cli("reload")
    assert "uid_base" in done.stderr and "restart" in done.stderr
    found = server.wait_log(role="master", event="config")
    assert [row for row in found if "uid_base" in row["text"]]
    with Smtp(server.port) as new:
        assert "SIZE 65536" in str(new.hello())


def test_a_message_of_50_MiB_outlives_its_generation(new_server):
    """The reload comes in the middle of DATA; the old edge serves it to its end, then leaves."""
    server = new_server(options={"message_size": 60 << 20}, domains=DOMAINS).start()
    body = b"x" * 70 + b"\r\n"
    with Smtp(server.port, seconds=60) as client:
        client.hello()
        client.cmd("MAIL FROM:<x@example.net>")
        client.cmd("RCPT TO:<alice@example.org>")
        assert client.cmd("DATA").code == 354
        client.send(b"Subject: large\r\n\r\n")
        chunk = body * 14563  # 1 MiB
        for n in range(50):
            client.send(chunk)
            if n in (10, 20, 30):
                server.cli("reload")
        client.send(b".\r\n")
        assert client.reply(60).code == 250
        assert len(server.pids("edge")) == 3
        client.quit()
    assert settle(server)["edge"] == 2
    server.wait_delivered(1, seconds=60)
    assert server.mails()[0].stat().st_size > 50 * 71 * 14563


def test_generations_are_bounded(new_server):
    """Sessions that stay keep old edges; beyond 64 a reload is refused, and works once they left."""
    server = new_server(options={"edges": 16, "max_connections_client": 1000},
                        domains=DOMAINS).start()
    held = []
    status = 0
    for _ in range(8):
        for _ in range(60):  # until each edge has one, as likely as not
            held.append(Smtp(server.port))
            held[-1].reply()
        done = server.cli("reload", check=False)
        status = done.returncode
        if status != 0:
            break
    assert status == 75 and "edges of older configurations are still at work" in done.stderr
    os.kill(server.process.pid, signal.SIGHUP)  # is done when there is room
    assert answer(server, "alice@example.org") == 250
    before = reloaded(server)
    for client in held:
        client.quit()
    wait_for(lambda: reloaded(server) > before, "the reload that waited")
    assert settle(server)["edge"] == 16


def test_log_levels_change_at_run_time(new_server):
    server = new_server(domains=DOMAINS).start()

    def levels():
        return dict(line.split() for line in server.cli("log").stdout.splitlines())

    assert set(levels().values()) == {"info"}
    server.cli("log", "error", "edge")
    assert levels()["edge"] == "error" and levels()["spool"] == "info"
    assert answer(server, "nobody@example.org") == 550
    assert not server.log(role="edge", event="decision")
    old = server.kill_role("edge")
    server.wait_replaced("edge", old, 2)  # the new one is told too
    wait_for(lambda: answer(server, "nobody@example.org") == 550, "the edges")
    assert not server.log(role="edge", event="decision")
    server.cli("log", "debug")
    assert set(levels().values()) == {"debug"}
    assert answer(server, "nobody@example.org") == 550
    server.wait_log(role="edge", event="decision")
    server.cli("reload")
    assert set(levels().values()) == {"info"}
    assert server.cli("log", "loud", check=False).returncode == 64
    assert server.cli("log", "info", "nobody", check=False).returncode == 64


def test_check_says_what_a_running_server_does_not_have_yet(new_server):
    server = new_server(domains=DOMAINS).start()
    told = json.loads(server.cli("check", "--json").stdout)
    assert (told["running"], told["reload"], told["restart"]) == (True, [], [])

    server.write_conf({"edges": 3, "uid_base": 40000}, {**DOMAINS, "example.com": ""})
    told = json.loads(server.cli("check", "--json").stdout)
    assert told["reload"] == ["edges", "sections"] and told["restart"] == ["uid_base"]
    shown = server.cli("check").stdout
    assert "needs a reload for: edges, sections\n" in shown
    assert "needs a restart for: uid_base\n" in shown

    server.cli("reload")
    told = json.loads(server.cli("check", "--json").stdout)
    assert (told["reload"], told["restart"]) == ([], ["uid_base"])
    server.stop()
    told = json.loads(server.cli("check", "--json").stdout)
    assert (told["running"], told["reload"], told["restart"]) == (False, [], [])


def test_check_reads_a_running_configuration_of_many_pages(new_server):
    aliases = "\n".join(f'alias "a{n}" {{ to = {{"alice", "bob"}} }}' for n in range(2000))
    server = new_server(domains={"example.org": DOMAINS["example.org"] + aliases}).start()
    told = json.loads(server.cli("check", "--json").stdout)
    assert (told["running"], told["reload"], told["restart"]) == (True, [], [])
