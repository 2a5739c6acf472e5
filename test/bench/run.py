#!/usr/bin/env python3
"""sekisho beside Postfix in one run: the table of what must be reached, with what was measured.

    ./bootstrap bench [--rounds N] [--seconds S] [--only peers,limits,idle,restart,system,lmtp]

The peers' bench (shared/bench/smtp: load generator, private roots, namespaces with loopback only)
does the measuring; this adds sekisho to it as one target file and makes ratios of the medians.
Needs root; the peers' roots are made once under $BENCH_STATE (default: the user's cache folder), which
must lie on the disk to be measured. Nothing here asserts: figures are to be read.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SHARED = pathlib.Path(os.environ.get("SEKISHO_SHARED", TOP.parent / "shared"))
BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", TOP / "build")).resolve()
STATE = pathlib.Path(os.environ.get("BENCH_STATE", pathlib.Path.home() / ".cache" / "smtpbench"))


def median(rows, key, **match):
    """The median of <key> over the rows that match, or None."""
    values = [r[key] for r in rows
              if r.get(key) is not None and all(r.get(k) == v for k, v in match.items())]
    return statistics.median(values) if values else None


def ratio(a, b):
    return a / b if a is not None and b else None


def text(value, unit="", digits=2):
    return "not measured" if value is None else f"{value:,.{digits}f}{unit}"


class Bench:
    def __init__(self, args):
        self.args = args
        STATE.mkdir(parents=True, exist_ok=True)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-bench."))
        self.smtp = self.dir / "smtp"
        shutil.copytree(SHARED / "bench" / "smtp", self.smtp)
        for target in ("sekisho.sh", "sekisho-lmtp.sh"):
            shutil.copy(HERE / target, self.smtp / "targets" / target)
        self.trash = pathlib.Path(tempfile.mkdtemp(prefix="trash.", dir=STATE))
        self.keep_inodes()
        self.out = self.dir / "results.jsonl"
        self.env = dict(os.environ, BENCH_STATE=str(STATE), SEKISHO_BIN=str(BUILD / "sekisho"))

    def keep_inodes(self):
        """Between points the bench deletes what was delivered. ext4 without a journal then skips each
        inode deleted in the last minute, one by one, whenever a file is made: a point would measure
        how many files the one before it had. So they are moved aside, for all targets alike."""
        bench = self.smtp / "bench.py"
        text = bench.read_text(encoding="utf-8")
        assert text.count("os.unlink(f.path)") == 1
        bench.write_text(text.replace(
            "os.unlink(f.path)", f"os.rename(f.path, '{self.trash}/' + os.urandom(12).hex())"),
            encoding="utf-8")

    def setup(self):
        if not (STATE / "root-postfix" / ".done").exists() or not (STATE / "bin" / "smtpload").exists():
            print("bench: making the peers' private roots (once, some minutes)", flush=True)
            subprocess.run([self.smtp / "setup.sh", "tools", "base", "postfix"], env=self.env, check=True)

    def run(self, *what):
        subprocess.run([self.smtp / "ns.sh", self.smtp / "bench.py", *what, "--out", self.out],
                       env=self.env, check=True)

    def rows(self, kind):
        if not self.out.exists():
            return []
        return [r for r in map(json.loads, self.out.open()) if r["kind"] == kind]

    def measure(self):
        a = self.args
        if "limits" in a.only:
            self.run("limits", "--rounds", "1")
        if "peers" in a.only:
            self.run("peers", "--targets", a.targets, "--rounds", str(a.rounds), "--conc", "20,100",
                     "--sizes", "4096", "--seconds", str(a.seconds))
        if "idle" in a.only:
            self.run("idle", "--targets", "sekisho")
        if "lmtp" in a.only:
            self.run("peers", "--targets", "postfix-lmtp,sekisho-lmtp", "--rounds", str(a.rounds),
                     "--conc", "20", "--sizes", "4096", "--seconds", str(a.seconds))
        for name in ("restart", "system"):
            if name in a.only:
                self.script(name)

    def script(self, name):
        """One of our own beside this file; it prints a JSON line a point."""
        done = subprocess.run([self.smtp / "ns.sh", sys.executable, HERE / f"{name}.py"],
                              env=dict(self.env, SYSTEM_ROUNDS=str(self.args.rounds)), check=True,
                              stdout=subprocess.PIPE, text=True)
        print(done.stdout, end="", flush=True)
        with self.out.open("a") as out:
            out.write(done.stdout)

    def table(self):
        peers = self.rows("peers")
        limits = self.rows("limits")
        idle = [r for r in self.rows("idle") if r.get("variant") == "default"]
        restart = self.rows("restart")
        system = self.rows("system")
        to_users = median(system, "rate", target="system")
        to_virtual = median(system, "rate", target="virtual")
        of_virtual = ratio(to_users, to_virtual)
        ours = {"target": "sekisho", "size": 4096}
        theirs = {"target": "postfix", "size": 4096}
        rate = median(peers, "delivered_rate", conc=20, **ours)
        disk = median(limits, "rate", mode="stage", threads=20, size=4096)
        peer_rate = median(peers, "delivered_rate", conc=20, **theirs)
        cpu = median(peers, "cpu_per_1000", conc=20, **ours)
        peer_cpu = median(peers, "cpu_per_1000", conc=20, **theirs)
        pss = median([r["base"] for r in idle], "pss_mib")
        per_conn = median(idle, "kib_pss_per_conn")
        share = ratio(rate, disk)
        by_lmtp = median(peers, "delivered_rate", target="sekisho-lmtp", size=4096)
        peer_by_lmtp = median(peers, "delivered_rate", target="postfix-lmtp", size=4096)
        return [
            ("durable and delivered, 20 connections, against Postfix", "4×", "8×",
             f"{text(ratio(rate, peer_rate), '×')} ({text(rate, '/s', 0)} to {text(peer_rate, '/s', 0)})"),
            ("share of the disk's limit (20 threads)", "30 %", "60 %",
             f"{text(share and share * 100, ' %', 0)} (limit {text(disk, '/s', 0)})"),
            ("CPU per message, all processes, against Postfix", "1/4", "1/8",
             f"1/{text(ratio(peer_cpu, cpu), '', 1)} ({text(cpu, ' ms')} to {text(peer_cpu, ' ms')})"),
            ("p99 MAIL to 250, 20 connections", "10 ms", "5 ms",
             f"{text(median(peers, 'p99_ms', conc=20, **ours), ' ms')} "
             f"(Postfix {text(median(peers, 'p99_ms', conc=20, **theirs), ' ms')})"),
            ("p99 MAIL to 250, 100 connections", "25 ms", "15 ms",
             f"{text(median(peers, 'p99_ms', conc=100, **ours), ' ms')} "
             f"(Postfix {text(median(peers, 'p99_ms', conc=100, **theirs), ' ms')})"),
            ("memory (PSS) per idle connection", "32 KiB", "8 KiB", text(per_conn, " KiB", 1)),
            ("memory (PSS), whole server idle", "30 MiB", "15 MiB", text(pss, " MiB", 1)),
            ("restart with 100,000 queued: accepting again", "3 s", "1 s",
             text(median(restart, "accepting_s"), " s")),
            ("LMTP into Dovecot, against Postfix doing the same", "1.5×", "2×",
             f"{text(ratio(by_lmtp, peer_by_lmtp), '×')} ({text(by_lmtp, '/s', 0)} to "
             f"{text(peer_by_lmtp, '/s', 0)})"),
            ("20 users of the machine, against virtual mailboxes", "50 %", "80 %",
             f"{text(of_virtual and of_virtual * 100, ' %', 0)} ({text(to_users, '/s', 0)} to "
             f"{text(to_virtual, '/s', 0)})"),
        ]


def print_table(rows):
    head = ("what", "must reach", "aim", "measured")
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(4)]
    for row in [head, tuple("-" * w for w in widths), *rows]:
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seconds", type=float, default=2.5, help="length of one measured point")
    ap.add_argument("--targets", default="postfix,sekisho", help="of the peers' bench, one run")
    ap.add_argument("--only", type=lambda s: s.split(","), default=["limits", "peers", "idle", "restart", "system", "lmtp"])
    args = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench: needs root (namespaces, private roots)")
    if not (SHARED / "bench" / "smtp").exists():
        sys.exit(f"bench: no peers' bench at {SHARED}/bench/smtp (set SEKISHO_SHARED)")
    bench = Bench(args)
    bench.setup()
    bench.measure()
    print()
    print_table(bench.table())
    print(f"\nevery point: {bench.out}")
    shutil.rmtree(bench.trash)


main()
