#!/usr/bin/env python3
"""Restart with many queued messages: how long until a new one is answered 250 again.

Fills the spool through SMTP while no delivery can succeed (the domain's folder is a plain file, so
each try fails and the message waits), stops the server, starts it, and measures. Prints one JSON line.
Run inside the peers' bench namespaces (ns.sh)."""
import json
import os
import pathlib
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time

STATE = pathlib.Path(os.environ["BENCH_STATE"])
SEKISHO = os.environ["SEKISHO_BIN"]
COUNT = int(os.environ.get("RESTART_COUNT", "100000"))
PORT = 2571

CONF = """hostname = "mx.bench.test"
data_dir = "{dir}/data"
max_connections_client = 2000
smtp_max_session = 100000
retry_first = 1h
listen "mx" {{ address = "127.0.0.1:%d" service = smtp }}
domain "dest.test" {{ alias "postmaster" {{ to = {{"bench"}} }} }}
""" % PORT


def kept(deadline):
    """Until a message is answered 250: not only greeted, the spool has it."""
    while time.monotonic() < deadline:
        try:
            with smtplib.SMTP("127.0.0.1", PORT, timeout=5) as client:
                client.sendmail("probe@load.test", ["bench@dest.test"], b"Subject: probe\r\n\r\nx\r\n")
                return True
        except (OSError, smtplib.SMTPException):
            time.sleep(0.005)
    return False


def start(conf, log):
    began = time.monotonic()
    p = subprocess.Popen([SEKISHO, "run", "-c", conf], stdout=log, stderr=log)
    if not kept(began + 60):
        raise SystemExit("restart: the server did not come up")
    return p, time.monotonic() - began


def stop(p):
    p.send_signal(signal.SIGTERM)
    p.wait(120)


def main():
    top = pathlib.Path(tempfile.mkdtemp(prefix="restart.", dir=STATE))
    os.chmod(top, 0o711)
    try:
        conf = top / "sekisho.conf"
        conf.write_text(CONF.format(dir=top))
        subprocess.run([SEKISHO, "user", "add", "bench@dest.test", "-c", conf], check=True,
                       stdout=subprocess.DEVNULL)
        mail = top / "data" / "mail"
        mail.mkdir(parents=True, exist_ok=True)
        (mail / "dest.test").write_text("in the way: nothing can be delivered\n")
        with (top / "log").open("ab") as log:
            p, first_s = start(conf, log)
            load = subprocess.run([STATE / "bin" / "smtpload", "-h", "127.0.0.1", "-p", str(PORT), "-c", "50",
                                   "-m", str(COUNT), "-f", "sender%@load.test", "-S", "200",
                                   "-t", "bench@dest.test", "-l", "4096", "-k", "500", "-T", "300"],
                                  capture_output=True, text=True, check=True)
            ok = json.loads(load.stdout)["ok"]
            stop(p)
            p, again_s = start(conf, log)
            stop(p)
        print(json.dumps(dict(kind="restart", queued=ok, empty_s=first_s, accepting_s=again_s)))
    finally:
        shutil.rmtree(top, ignore_errors=True)


main()
