"""check, config, version, help: what they print, where, and which exit code they end with."""

import json
import os
import subprocess

import pytest
from harness import BUILD

EX_OK, EX_USAGE, EX_IOERR, EX_CONFIG = 0, 64, 74, 78

GOOD = """
hostname = "mail.example.org"
listen "mx" { address = "127.0.0.1:2525" }
domain "example.org" {
    catch_all = "alice"
    alias "team" { to = {"alice", "bob@example.com"} }
}
domain "example.com" { same_as = "example.org" }
message_size = 10MiB
smtp_idle = 5m
"""


@pytest.fixture
def conf(tmp_path):
    """conf(text): the path of a file with this text."""

    def write(text):
        path = tmp_path / "sekisho.conf"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def sekisho(*args, env=None):
    clean = {key: value for key, value in os.environ.items() if key != "SEKISHO_CONF"}
    return subprocess.run([BUILD / "sekisho", *map(str, args)], capture_output=True, text=True,
                          timeout=30, check=False, env={**clean, **(env or {})})


def test_a_good_file_is_ok(conf):
    path = conf(GOOD)
    done = sekisho("check", "-c", path)
    assert (done.returncode, done.stdout, done.stderr) == (EX_OK, f"{path}: ok\n", "")


def test_the_file_comes_from_the_environment_where_no_option_names_it(conf, tmp_path):
    path = conf(GOOD)
    assert sekisho("check", env={"SEKISHO_CONF": str(path)}).returncode == EX_OK
    other = tmp_path / "other.conf"
    done = sekisho("check", "-c", other, env={"SEKISHO_CONF": str(path)})
    assert done.returncode == EX_CONFIG
    assert done.stderr.startswith(f"{other}: ")


def test_all_problems_are_named_with_their_lines(conf):
    path = conf('hostname = "mail.example.org"\nedges = 99\nsmtp_idel = 5m\n'
                'listen "mx" { address = "*:99999" }\n')
    done = sekisho("check", "-c", path)
    assert done.returncode == EX_CONFIG
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{path}:2: edges: expected 1 to 16 processes, got ")
    assert lines[1] == f'{path}:3: unknown key "smtp_idel", perhaps smtp_idle is meant'
    assert lines[2].startswith(f"{path}:4: address: expected ")
    assert len(lines) == 3


def test_a_warning_does_not_fail(conf):
    done = sekisho("check", "-c", conf(GOOD.replace('catch_all = "alice"', "")))
    assert done.returncode == EX_OK
    assert ":4: warning: domain: example.org, the first one, has no alias postmaster" in done.stderr


def test_check_as_json(conf):
    done = sekisho("check", "--json", "-c", conf("edges = 99"))
    assert done.returncode == EX_CONFIG
    found = json.loads(done.stdout)
    assert found["ok"] is False
    assert ":1: edges: expected" in found["report"][0]
    assert json.loads(sekisho("check", "--json", "-c", conf(GOOD)).stdout) == {
        "ok": True, "report": [], "running": False, "reload": [], "restart": []}


@pytest.mark.parametrize("command", ["check", "config", "run"])
def test_a_bad_file_is_exit_78_for_all(conf, command):
    done = sekisho(command, "-c", conf(GOOD + "edges = 0\n"))
    assert (done.returncode, done.stdout) == (EX_CONFIG, "")
    assert ": edges: expected 1 to 16 processes" in done.stderr


def test_config_prints_what_check_accepts_and_prints_again(conf):
    first = sekisho("config", "-c", conf(GOOD))
    assert (first.returncode, first.stderr) == (EX_OK, "")
    assert "\n# Largest message, as sent. RFC 5321" in first.stdout
    assert "\nmessage_size = 10MiB\n" in first.stdout
    path = conf(first.stdout)
    assert sekisho("check", "-c", path).returncode == EX_OK
    assert sekisho("config", "-c", path).stdout == first.stdout


def test_defaults_are_a_sample_file_that_needs_none(conf):
    done = sekisho("config", "--defaults", "-c", "/nonexistent")
    assert done.returncode == EX_OK
    assert "\nmessage_size = 50MiB\n" in done.stdout
    check = sekisho("check", "-c", conf(done.stdout))
    assert (check.returncode, check.stderr) == (EX_OK, "")


def test_config_as_json_has_numbers_in_their_units(conf):
    found = json.loads(sekisho("config", "--json", "-c", conf(GOOD)).stdout)
    assert found["message_size"] == 10 * 1024 * 1024
    assert found["smtp_idle"] == 300
    assert found["control_socket"] == "/var/lib/sekisho/control.sock"
    assert found["listen"] == [{"name": "mx", "address": "127.0.0.1:2525", "service": "smtp"}]
    domains = {domain["name"]: domain for domain in found["domain"]}
    assert domains["example.org"]["aliases"] == {
        "team": ["alice@example.org", "bob@example.org"]}
    assert [name for name in domains if domains[name]["same_as"] == "example.org"] == [
        "example.com", "localhost", "mail.example.org"]


def test_version():
    done = sekisho("version")
    assert done.returncode == EX_OK
    assert done.stdout.startswith("sekisho ")
    assert json.loads(sekisho("version", "--json").stdout) == {
        "version": done.stdout.split()[1]}


def test_help_lists_every_command_and_each_has_its_own():
    listed = sekisho("help").stdout
    assert sekisho("--help").stdout == listed
    words = [line.split("  ")[1].strip() for line in listed.splitlines()
             if line.startswith("  ")]
    assert {"run", "check", "config", "version", "help"} <= set(words)
    for command in words:
        done = sekisho(*command.split(), "--help")
        assert (done.returncode, done.stderr) == (EX_OK, "")
        assert done.stdout.startswith(f"usage: sekisho {command} [-c FILE]")


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["check", "more"], ["check", "--defaults"], ["check", "--nonsense"],
    ["check", "-c"], ["version", "-x"],
])
def test_bad_usage_is_exit_64(args):
    done = sekisho(*args)
    assert done.returncode == EX_USAGE
    assert done.stderr or not args


def test_a_full_disk_at_the_other_end_is_an_error():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BUILD / "sekisho", "config", "--defaults"], stdout=full,
                              stderr=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == EX_IOERR


def test_the_environment_is_not_expanded(conf):
    text = GOOD + 'data_dir = "${HOME}/sekisho"\n'
    done = sekisho("check", "-c", conf(text), env={"HOME": "/home/somebody"})
    assert done.returncode == EX_CONFIG
    assert "variables are not expanded" in done.stderr
    done = sekisho("config", "--json", "-c", conf(text.replace("$", "\\$").replace('"\\', '"/\\')),
                   env={"HOME": "/home/somebody"})
    assert json.loads(done.stdout)["data_dir"] == "/${HOME}/sekisho"
