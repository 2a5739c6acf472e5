#!/usr/bin/env python3
"""./bootstrap run: a server with a domain and an account, a first message, its file, its log.

All state lies in ./demo/ and is used again by the next run. Ends with Ctrl-C or SIGTERM.
"""

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from harness import Timeout, wait_for

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
CONF = DEMO / "sekisho.conf"
LOG = DEMO / "log"
SEKISHO = ROOT / "build" / "sekisho"
HOST, PORT = "127.0.0.1", 2525

CONF_TEXT = f"""\
hostname = "mail.example.org"
data_dir = "{DEMO}/data"
listen "mx" {{
    address = "{HOST}:{PORT}"
    service = smtp
}}
domain "example.org" {{
    alias "postmaster" {{ to = {{"alice"}} }}
    alias "team" {{ to = {{"alice", "bob"}} }}
}}
"""


def say(text=""):
    print(text, flush=True)


def show(title, text):
    say(f"\n== {title}")
    say("\n".join(f"    {line}" for line in text.rstrip("\n").split("\n")))


def sekisho(*words):
    done = subprocess.run([SEKISHO, *words, "-c", CONF], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"sekisho {' '.join(words)}: {done.stderr}")
    return done.stdout


def prepare():
    """Configuration and accounts, where an earlier run has not left them."""
    DEMO.mkdir(mode=0o755, exist_ok=True)
    if not CONF.exists():
        CONF.write_text(CONF_TEXT, encoding="utf-8")
    there = sekisho("user", "list").split()
    for address in ("alice@example.org", "bob@example.org"):
        if address not in there:
            sekisho("user", "add", address)


def listening():
    try:
        with socket.create_connection((HOST, PORT), timeout=1):
            return True
    except OSError:
        return False


def greets():
    try:
        with socket.create_connection((HOST, PORT), timeout=5) as probe:
            return probe.recv(3) == b"220"
    except OSError:
        return False


def start():
    """The server's process, once it greets."""
    if listening():
        sys.exit(f"{HOST}:{PORT} is taken by another program; is another demo running?")
    with open(LOG, "wb") as log:  # not in the terminal's group: Ctrl-C is ours to pass on
        server = subprocess.Popen([SEKISHO, "run", "-c", CONF], stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: server.poll() is not None or greets(), "the server's greeting", 20)
    except Timeout as e:
        stop(server)
        sys.exit(f"{e}\n{LOG.read_text(errors='replace')}")
    if server.poll() is not None:
        sys.exit(f"sekisho run ended with {server.returncode}:\n{LOG.read_text(errors='replace')}")
    return server


def files():
    return set((DEMO / "data" / "mail" / "example.org").glob("*/new/*"))


def send():
    """One message through SMTP; returns the server's last reply and the file it became."""
    message = EmailMessage()
    message["From"] = "A stranger <stranger@example.net>"
    message["To"] = "alice@example.org"
    message["Subject"] = "The first one through the checkpoint"
    message.set_content("This came in over SMTP, was made durable, and then answered 250.\n")
    before = files()
    with smtplib.SMTP(HOST, PORT, timeout=20) as client:
        client.ehlo("client.example.net")
        client.mail("stranger@example.net")
        client.rcpt("alice@example.org")
        code, text = client.data(message.as_bytes(policy=SMTP))
    if code != 250:
        sys.exit(f"the message was answered {code} {text.decode()}")
    new = wait_for(lambda: files() - before, "the message in alice's Maildir", 20)
    return f"{code} {text.decode()}", min(new)


def log_of(message_id):
    """Its lines in the log, once it is known to be delivered."""
    def lines():
        found = [line for line in LOG.read_text(errors="replace").splitlines()
                 if f"id={message_id}" in line]
        return any("verdict=delivered" in line for line in found) and found
    return wait_for(lines, "the log to tell of the delivery", 20)


def warn():
    """What is missing to the walls, loudly: a demo as an ordinary user has few."""
    missing = {found for line in LOG.read_text(errors="replace").splitlines()
               for found in re.findall(r'event=walls_missing .*missing="?([^"]*)"', line)}
    if missing:
        show("WARNING: not started as root; these walls are missing", "\n".join(sorted(missing)))


def tell():
    reply, path = send()
    warn()
    message_id = re.search(r"\b[0-9a-z]{13}\b", reply)[0]
    show("the server's answer to it", reply)
    show(str(path.relative_to(ROOT)), path.read_text(errors="replace"))
    show("its log", "\n".join(log_of(message_id)))
    here = f"-c {CONF.relative_to(ROOT)}"
    say(f"""
== things to try next, in another terminal, from this folder
    what became of that message, and how the server is:
        build/sekisho explain {message_id} {here}
        build/sekisho status {here}
    one message to an alias, which becomes two files under demo/data/mail/:
        curl smtp://{HOST}:{PORT} --mail-from me@example.net --mail-rcpt team@example.org --crlf -T README.md
    somebody else's address: nobody relays here, from wherever they connect:
        curl smtp://{HOST}:{PORT} --mail-from me@example.net --mail-rcpt x@example.com --crlf -T README.md
    a program of this machine, known by its uid:
        printf 'Subject: hi\\n\\nfrom here\\n' | SEKISHO_SUBMIT=demo/data/submit build/sekisho-sendmail alice@example.org
    add an alias to {CONF.relative_to(ROOT)}, then, without a dropped session:
        build/sekisho reload {here}

== the log goes on here; Ctrl-C ends the server""")


def follow(server):
    """Show what the log says from now on, until the server ends."""
    with open(LOG, encoding="utf-8", errors="replace") as log:
        log.seek(0, os.SEEK_END)
        while server.poll() is None:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(0.2)
        sys.stdout.write(log.read())


def stop(server):
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
    return server.wait()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    prepare()
    server = start()
    try:
        tell()
        follow(server)
        say(f"sekisho ended by itself: {server.returncode}")
        return 1
    except KeyboardInterrupt:
        say("\n== stopping")
        code = stop(server)
        say("== stopped; demo/ keeps everything" if code == 0 else f"sekisho ended with {code}")
        return code
    finally:
        stop(server)


if __name__ == "__main__":
    sys.exit(main())
