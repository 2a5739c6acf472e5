"""The clients that people use, each as one function: send this file, say whether it was taken.

Each gets a file with LF line ends and does what that client does with it.
"""

import json
import os
import shutil
import smtplib
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import Smtp

SECONDS = 120
PATH = os.environ.get("PATH", "") + ":/usr/sbin"  # Debian's smtp-source lies where only root looks
NODE_SCRIPT = Path(__file__).resolve().parent / "nodemailer.js"
DEBIAN_NODE = "/usr/share/nodejs"  # where node-nodemailer is, for whichever node is installed


@dataclass
class Job:
    """One message: its envelope and the file it lies in."""

    rcpts: list
    path: Path
    sender: str = "sender@example.net"
    dsn: dict = field(default_factory=dict)  # envid, ret, notify


@dataclass
class Outcome:
    taken: bool
    said: str


def command(name):
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"not installed: {name}")
    return found


def run(args, **how):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, check=False,
                          errors="replace", timeout=SECONDS, **how)
    return Outcome(done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:])


def smtp_source(server, job):
    """Postfix's. With several recipients it numbers one address: a@b, 2a@b, 3a@b, ..."""
    return run([command("smtp-source"), "-r", len(job.rcpts), "-f", job.sender, "-t", job.rcpts[0],
                "-F", job.path, "-M", "client.example.net", f"{server.host}:{server.port}"])


def swaks(server, job):
    """It ends the last line itself."""
    unended = job.path.with_suffix(".unended")
    unended.write_bytes(job.path.read_bytes().removesuffix(b"\n"))
    return run([command("swaks"), "--server", server.host, "--port", server.port,
                "--ehlo", "client.example.net", "--from", job.sender or "<>",
                "--to", ",".join(job.rcpts), "--data", f"@{unended}", "--suppress-data"])


def curl(server, job):
    rcpts = [part for rcpt in job.rcpts for part in ("--mail-rcpt", rcpt)]
    return run([command("curl"), "-sS", "--crlf", "--mail-from", job.sender, *rcpts,
                "-T", job.path, f"smtp://{server.host}:{server.port}/client.example.net"])


def nodemailer(server, job):
    envelope = {"from": job.sender, "to": job.rcpts, "size": job.path.stat().st_size}
    if job.dsn:
        envelope["dsn"] = {"id": job.dsn["envid"], "return": job.dsn["ret"],
                           "notify": job.dsn["notify"], "recipient": job.rcpts[0]}
    ask = {"port": server.port, "envelope": envelope, "file": str(job.path)}
    outcome = run([command("node"), NODE_SCRIPT], input=json.dumps(ask),
                  env={**os.environ, "NODE_PATH": DEBIAN_NODE})
    if "Cannot find module 'nodemailer'" in outcome.said:
        pytest.skip("not installed: node-nodemailer")
    return outcome


def python_smtplib(server, job):
    mail, rcpt = [], []
    if job.dsn:
        mail = [f"RET={job.dsn['ret']}", f"ENVID={job.dsn['envid']}"]
        rcpt = [f"NOTIFY={job.dsn['notify']}", f"ORCPT=rfc822;{job.rcpts[0]}"]
    wire = job.path.read_bytes().replace(b"\n", b"\r\n")  # octets it sends as they are
    utf8 = not (job.sender + "".join(job.rcpts)).isascii()
    mail += ["SMTPUTF8"] if utf8 else []
    try:
        with smtplib.SMTP(server.host, server.port, "client.example.net", SECONDS) as client:
            client.command_encoding = "utf-8" if utf8 else "ascii"
            refused = client.sendmail(job.sender, job.rcpts, wire, mail, rcpt)
    except smtplib.SMTPException as why:
        return Outcome(False, str(why))
    return Outcome(not refused, str(refused))


def bdat(server, job):
    """CHUNKING, which none of the others speaks: chunks of odd sizes, cut anywhere in a line."""
    wire = job.path.read_bytes().replace(b"\n", b"\r\n")
    with Smtp(server.port, server.host, seconds=SECONDS) as client:
        client.hello()
        client.envelope(job.sender, job.rcpts)
        step = max(1, len(wire) // 7)
        cuts = [*range(0, len(wire), step), len(wire)]
        for begin, end in zip(cuts, cuts[1:]):
            client.send(b"BDAT %d\r\n" % (end - begin) + wire[begin:end])
            reply = client.reply()
            if reply.code != 250:
                return Outcome(False, str(reply))
        client.send(b"BDAT 0 LAST\r\n")
        reply = client.reply()
        return Outcome(reply.code == 250, str(reply))


# What a client puts behind every message by itself.
APPENDED = {"smtp_source": b"\n"}

SENDERS = {one.__name__: one for one in (smtp_source, swaks, curl, nodemailer, python_smtplib, bdat)}
