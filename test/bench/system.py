#!/usr/bin/env python3
"""Mail for 20 users of the machine beside the same for 20 virtual mailboxes, round by round in one run.

A connection for each mailbox keeps sending; measured is from the first connection until the last
file lies in new/. Both write to the same disk. Prints one JSON line a point. Run inside the peers'
bench namespaces (ns.sh): a passwd of its own is laid over the machine's there."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

STATE = pathlib.Path(os.environ["BENCH_STATE"])
SEKISHO = os.environ["SEKISHO_BIN"]
USERS = int(os.environ.get("SYSTEM_USERS", "20"))
ROUNDS = int(os.environ.get("SYSTEM_ROUNDS", "3"))
MESSAGES = int(os.environ.get("SYSTEM_MESSAGES", "400"))  # for each mailbox
SIZE = 4096
PORT = 2572
FIRST_UID = 30001
DOMAIN = "dest.test"

CONF = """hostname = "mx.bench.test"
data_dir = "{dir}/data"
max_connections_client = 2000
listen "mx" {{ address = "127.0.0.1:%d" service = smtp }}
domain "%s" {{ mailboxes = {kind} alias "postmaster" {{ to = {{"u0"}} }} }}
""" % (PORT, DOMAIN)


def users():
    return [f"u{n}" for n in range(USERS)]


def lay_passwd(top):
    rows = [f"{user}:x:{FIRST_UID + n}:{FIRST_UID + n}::{top}/home/{user}:/bin/sh"
            for n, user in enumerate(users())]
    passwd = top / "passwd"
    passwd.write_text(pathlib.Path("/etc/passwd").read_text() + "\n".join([*rows, ""]))
    subprocess.run(["mount", "--bind", passwd, "/etc/passwd"], check=True)


def make_homes(top):
    for n, user in enumerate(users()):
        home = top / "home" / user
        home.mkdir(parents=True)
        home.chmod(0o700)
        os.chown(home, FIRST_UID + n, FIRST_UID + n)


def new_of(run, kind, user):
    return run / "home" / user / "Maildir" / "new" if kind == "system" \
        else run / "data" / "mail" / DOMAIN / user / "new"


def count(folders):
    return sum(len(os.listdir(at)) for at in folders if at.exists())


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"system: not within {seconds} s: {what}")
        time.sleep(0.003)


def listens():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0


def load(messages):
    """All connections at once; when the first began."""
    began = time.monotonic()
    runs = [subprocess.Popen([STATE / "bin" / "smtpload", "-p", str(PORT), "-c", "1", "-k", str(messages),
                              "-m", str(messages), "-l", str(SIZE), "-t", f"{user}@{DOMAIN}"],
                             stdout=subprocess.PIPE, text=True) for user in users()]
    for run in runs:
        run.communicate()
    return began


def point(top, kind):
    """Messages a second; top/home is where passwd says the homes are."""
    (top / "sekisho.conf").write_text(CONF.format(dir=top, kind=kind))
    make_homes(top)
    for user in users() if kind == "virtual" else ():
        subprocess.run([SEKISHO, "user", "add", f"{user}@{DOMAIN}", "-c", top / "sekisho.conf"], check=True)
    folders = [new_of(top, kind, user) for user in users()]
    with open(top / "log", "wb") as log:
        server = subprocess.Popen([SEKISHO, "run", "-c", top / "sekisho.conf"], stdout=log, stderr=log)
        wait_for(listens, 20, "the server to listen")
        load(2)  # folders are made, and each user's process runs, as on a server in use
        wait_for(lambda: count(folders) == 2 * USERS, 30, "the first messages")
        began = load(MESSAGES)
        wait_for(lambda: count(folders) == (2 + MESSAGES) * USERS, 120, "all messages")
        rate = MESSAGES * USERS / (time.monotonic() - began)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return rate


def reachable():
    """Users must get to their homes: not below a folder that is root's alone, as /root is."""
    parents = [STATE, *STATE.resolve().parents]
    return STATE if all(at.stat().st_mode & 0o001 for at in parents) else pathlib.Path("/var/tmp")


def main():
    top = pathlib.Path(tempfile.mkdtemp(prefix="system.", dir=reachable()))
    os.chmod(top, 0o711)
    try:
        lay_passwd(top)
        for n in range(ROUNDS):
            for kind in ("virtual", "system"):
                rate = point(top, kind)
                print(json.dumps({"kind": "system", "round": n, "target": kind, "users": USERS,
                                  "rate": rate}), flush=True)
                for left in ("data", "home"):  # aside: see keep_inodes in run.py
                    if (top / left).exists():
                        os.rename(top / left, top / f"{left}.{kind}.{n}")
    finally:
        subprocess.run(["umount", "/etc/passwd"], check=False)
        shutil.rmtree(top, ignore_errors=True)


main()
