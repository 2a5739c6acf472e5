"""What install lays out and uninstall takes away, below a folder and by nobody in particular."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import BUILD
from harness.server import ROOT

INSTALL = ROOT / "install" / "install.py"


def run(verb, destdir, *more, code=0):
    done = subprocess.run(
        [sys.executable, "-B", INSTALL, verb, "--destdir", destdir, *more], text=True,
        capture_output=True, check=False, env={**os.environ, "SEKISHO_BUILD": str(BUILD)})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def tree(destdir):
    def inside(path):
        if path.is_symlink():
            return os.readlink(path)
        return path.read_bytes() if path.is_file() else None
    return {str(path.relative_to(destdir)): (path.lstat().st_mode, inside(path))
            for path in destdir.rglob("*")}


@pytest.fixture
def destdir(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(INSTALL.parent))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec = importlib.util.spec_from_file_location("installer", INSTALL)
    installer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(installer)
    return installer


def test_twice_is_once(destdir):
    run("install", destdir)
    once = tree(destdir)
    assert "upgraded" in run("install", destdir)
    assert tree(destdir) == once
    for path in ("usr/local/sbin/sekisho", "usr/local/libexec/sekisho/sekisho-edge",
                 "usr/local/share/man/man8/sekisho.8", "etc/sekisho/sekisho.conf",
                 "usr/local/lib/systemd/system/sekisho.service"):
        assert path in once
    version = subprocess.run([destdir / "usr/local/sbin/sekisho", "version"], text=True,
                             capture_output=True, check=True).stdout
    assert version.strip() != ""


def test_a_user_for_each_role_that_is_installed(destdir):
    run("install", destdir, "--prefix", "/usr")
    users = (destdir / "usr/lib/sysusers.d/sekisho.conf").read_text()
    roles = {path.name for path in (destdir / "usr/libexec/sekisho").iterdir()}
    assert roles == {f"{line.split()[1][1:]}" for line in users.splitlines() if line[0] == "u"}
    assert "ExecStart=/usr/sbin/sekisho run" in \
        (destdir / "usr/lib/systemd/system/sekisho.service").read_text()


def test_a_prefix_where_systemd_does_not_look(destdir):
    run("install", destdir, "--prefix", "/opt/sekisho")
    assert "/opt/sekisho/sbin/sekisho run" in \
        (destdir / "etc/systemd/system/sekisho.service").read_text()
    run("uninstall", destdir, "--prefix", "/opt/sekisho", "--purge")
    assert tree(destdir) == {}


def test_configuration_is_the_operators(destdir):
    conf = destdir / "etc/sekisho/sekisho.conf"
    run("install", destdir)
    conf.write_text('hostname = "mail.example.org"\n')
    run("install", destdir)
    assert conf.read_text() == 'hostname = "mail.example.org"\n'
    assert "kept: /etc/sekisho" in run("uninstall", destdir)
    assert {path for path in tree(destdir) if "." in path} == {
        "etc/sekisho/sekisho.conf", "etc/sekisho/conf.d"}


def test_what_was_changed_since_is_kept_and_said(destdir):
    run("install", destdir)
    unit = destdir / "usr/local/lib/systemd/system/sekisho.service"
    unit.write_text(unit.read_text() + "# mine\n")
    foreign = destdir / "usr/local/sbin/other"
    foreign.write_text("x")
    said = run("uninstall", destdir)
    assert "kept /usr/local/lib/systemd/system/sekisho.service: it was changed" in said
    assert unit.exists() and foreign.exists()
    assert not (destdir / "usr/local/sbin/sekisho").exists()
    assert not (destdir / "usr/local/share").exists()


def test_uninstall_without_install(destdir):
    assert "nothing was installed" in run("uninstall", destdir, code=1)


def test_what_an_upgrade_no_longer_has_goes(destdir, module):
    run("install", destdir)
    place = module.Tree(str(destdir), "/usr/local")
    manifest = destdir / "usr/local/share/sekisho/manifest"
    gone = destdir / "usr/local/libexec/sekisho/sekisho-gone"
    gone.write_bytes(b"old")
    changed = destdir / "usr/local/libexec/sekisho/sekisho-changed"
    changed.write_bytes(b"not as it was")
    manifest.write_text(manifest.read_text() + "".join(
        f"file\t/usr/local/libexec/sekisho/{path.name}\t{module.digest(b'old')}\n"
        for path in (gone, changed)))
    assert len(place.read_manifest()) > 10
    run("install", destdir)
    assert not gone.exists() and changed.exists()


def test_somebody_elses_sendmail_is_left(tmp_path, module):
    place = module.Tree(str(tmp_path), "/usr/local")
    theirs = tmp_path / "usr/sbin/sendmail"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("another MTA's")
    assert not place.link("/usr/sbin/sendmail", "/usr/local/sbin/sekisho-sendmail")
    assert theirs.read_text() == "another MTA's" and place.rows == []
    theirs.unlink()
    theirs.symlink_to("../lib/other")
    assert not place.link("/usr/sbin/sendmail", "/usr/local/sbin/sekisho-sendmail")
    assert place.link("/usr/bin/mailq", "/usr/local/sbin/sekisho-sendmail")
    assert place.link("/usr/bin/mailq", "/usr/local/sbin/sekisho-sendmail")  # ours already
    place.remove(place.rows)
    assert not os.path.lexists(tmp_path / "usr/bin") and theirs.is_symlink()


def test_a_running_executable_is_not_disturbed(tmp_path, module):
    place = module.Tree(str(tmp_path), "/usr/local")
    target = tmp_path / "usr/local/sbin/sleeps"
    place.file("/usr/local/sbin/sleeps", Path("/bin/sleep").read_bytes(), 0o755)
    with subprocess.Popen([target, "30"]) as running:
        place.file("/usr/local/sbin/sleeps", b"#!/bin/sh\n", 0o755)  # else: text file busy
        assert target.read_bytes() == b"#!/bin/sh\n" and running.poll() is None
        running.kill()
