#!/usr/bin/env python3
"""What ./bootstrap install and uninstall do once build/ is there. See doc/install.md.

Everything that is put down stands in a manifest, and uninstalling removes that and no more.
Files are replaced by rename: what runs goes on with the one it was started from.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import completion

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("SEKISHO_BUILD", ROOT / "build")).resolve()
HERE = ROOT / "install"

SYSTEMD_PREFIXES = ("/usr", "/usr/local")  # below others it does not look for units
CONF = "/etc/sekisho/sekisho.conf"
STATE = "/var/lib/sekisho"
UNIT = "sekisho.service"
# what programs of the machine call to send mail: name -> what it leads to, below the prefix
SENDMAIL = "sbin/sekisho-sendmail"
SENDMAIL_NAMES = ("/usr/sbin/sendmail", "/usr/bin/mailq", "/usr/bin/newaliases")


def say(text):
    print(f"== {text}", flush=True)


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def roles():
    return (BUILD / "roles").read_text("ascii").split()


class Tree:
    """The machine's root, or the folder that stands for it; remembers what was put there."""

    def __init__(self, destdir, prefix):
        self.destdir = destdir
        self.prefix = prefix
        self.live = destdir == ""
        self.rows = []  # of the manifest: (kind, path, what it is)
        self.systemd = f"{prefix}/lib" if prefix in SYSTEMD_PREFIXES else "/etc"

    def __truediv__(self, path):
        return Path(self.destdir + path)

    @property
    def manifest(self):
        return f"{self.prefix}/share/sekisho/manifest"

    def read_manifest(self):
        try:
            text = (self / self.manifest).read_text("utf-8")
        except FileNotFoundError:
            return []
        return [tuple(line.split("\t")) for line in text.splitlines()]

    def folder(self, path, mode=0o755):
        """A folder and those above it; those that are new are ours to remove."""
        if (self / path).is_dir():
            return
        self.folder(os.path.dirname(path))
        (self / path).mkdir()
        (self / path).chmod(mode)  # whatever the umask is
        self.rows.append(("folder", path, ""))

    def file(self, path, octets, mode=0o644, mine=True):
        """Whole or not at all, beside what is there and then in its place."""
        self.folder(os.path.dirname(path))
        new = (self / path).with_name(f".{os.path.basename(path)}.new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(octets)
            out.flush()
            os.fchmod(out.fileno(), mode)
            os.fsync(out.fileno())
        new.rename(self / path)
        if mine:
            self.rows.append(("file", path, digest(octets)))

    def link(self, path, target):
        """False where somebody else's stands there."""
        if os.path.lexists(self / path):
            if not (self / path).is_symlink() or os.readlink(self / path) != target:
                return False
        else:
            self.folder(os.path.dirname(path))
            (self / path).symlink_to(target)
        self.rows.append(("link", path, target))
        return True

    def is_ours(self, row):
        """Whether what the row tells of is there as we left it."""
        kind, path, what = row
        if kind == "link":
            return (self / path).is_symlink() and os.readlink(self / path) == what
        return kind == "file" and (self / path).is_file() and not (self / path).is_symlink() \
            and digest((self / path).read_bytes()) == what

    def remove(self, rows):
        """What is as we left it, files first; says what it had to leave."""
        for row in rows:
            if row[0] != "folder" and self.is_ours(row):
                (self / row[1]).unlink()
            elif row[0] != "folder" and os.path.lexists(self / row[1]):
                say(f"kept {row[1]}: it was changed since it was installed")
        for _, path, _ in sorted((row for row in rows if row[0] == "folder"), reverse=True):
            try:
                (self / path).rmdir()
            except OSError:
                pass  # others have something in it, or it is gone

    def finish(self):
        """What an earlier install put down and this one did not goes; the manifest is written."""
        before = self.read_manifest()
        kept = {row[1] for row in self.rows}
        self.remove([row for row in before if row[0] != "folder" and row[1] not in kept])
        self.rows += [row for row in before if row[0] == "folder" and row[1] not in kept]
        self.folder(os.path.dirname(self.manifest))
        text = "".join("\t".join(row) + "\n" for row in sorted(self.rows))
        self.file(self.manifest, text.encode(), mine=False)


# ---- what is put where ----

def stripped(path):
    """The executable without what only a debugger reads."""
    done = subprocess.run(["strip", "--strip-unneeded", "-o", "/dev/stdout", path],
                          stdout=subprocess.PIPE, check=False)
    return done.stdout if done.returncode == 0 and done.stdout else Path(path).read_bytes()


def put_executables(tree):
    tree.file(f"{tree.prefix}/sbin/sekisho", stripped(BUILD / "sekisho"), 0o755)
    for role in roles():
        tree.file(f"{tree.prefix}/libexec/sekisho/sekisho-{role}",
                  stripped(BUILD / f"sekisho-{role}"), 0o755)


def owner_of(path):
    done = subprocess.run(["dpkg-query", "-S", path], text=True, capture_output=True, check=False)
    return f"it belongs to {done.stdout.split(':')[0]}" if done.returncode == 0 else \
        "somebody put it there"


def put_sendmail(tree):
    """The program that local programs send with, and the names they know it by."""
    if not (BUILD / "sekisho-sendmail").exists():
        return
    target = f"{tree.prefix}/{SENDMAIL}"
    tree.file(target, stripped(BUILD / "sekisho-sendmail"), 0o755)
    for name in SENDMAIL_NAMES:
        if not tree.link(name, target):
            why = owner_of(name) if tree.live else "it is there already"
            say(f"not linked: {name} ({why}). Local programs send through sekisho once it is "
                f"out of the way:\n     mv {name} {name}.before && ln -s {target} {name}")


def put_documents(tree):
    # what the build has made of one stands in for it
    pages = {page.name: page for folder in (ROOT / "man", BUILD)
             for page in folder.glob("*.[1-8]")}
    for name, page in sorted(pages.items()):
        tree.file(f"{tree.prefix}/share/man/man{name[-1]}/{name}", page.read_bytes())
    docs = f"{tree.prefix}/share/doc/sekisho"
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "LICENSE",
                 *sorted((ROOT / "doc").glob("*.md"))):
        tree.file(f"{docs}/{page.name}", page.read_bytes())
    sample = run_ours("config", "--defaults")
    tree.file(f"{docs}/sekisho.conf.sample", sample.encode())
    tree.file(f"{tree.prefix}/share/bash-completion/completions/sekisho",
              completion.bash(run_ours("help", "--json")).encode())


def sysusers():
    lines = ["# sekisho: a user for each process of the server"]
    lines += [f'u _sekisho-{role} - "sekisho {role}" - -' for role in roles()]
    return "\n".join(lines) + "\n"


def put_service(tree):
    unit = (HERE / "sekisho.service.in").read_text("utf-8").replace("@prefix@", tree.prefix)
    where = tree.systemd
    tree.file(f"{where}/systemd/system/{UNIT}", unit.encode())
    tree.file(f"{where}/sysusers.d/sekisho.conf", sysusers().encode())
    tree.file(f"{where}/tmpfiles.d/sekisho.conf", (HERE / "tmpfiles.conf").read_bytes())


def put_configuration(tree):
    """A file to start from, once: from then on it is the operator's."""
    if not (tree / "/etc/sekisho").is_dir():
        tree.folder("/etc")
        (tree / "/etc/sekisho").mkdir(mode=0o755)
    (tree / "/etc/sekisho/conf.d").mkdir(mode=0o755, exist_ok=True)
    if os.path.lexists(tree / CONF):
        return False
    tree.file(CONF, (HERE / "sekisho.conf").read_bytes(), mine=False)
    return True


# ---- the machine itself ----

def run_ours(*words):
    done = subprocess.run([BUILD / "sekisho", *words], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"install: sekisho {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def run(*words, check=True):
    done = subprocess.run(words, check=False)
    if check and done.returncode != 0:
        sys.exit(f"install: {' '.join(words)}: exit {done.returncode}")
    return done.returncode


def is_user(name):
    return subprocess.run(["getent", "passwd", name], stdout=subprocess.DEVNULL,
                          check=False).returncode == 0


def make_users(tree):
    missing = [role for role in roles() if not is_user(f"_sekisho-{role}")]
    if not missing:
        return
    say(f"making system users: {' '.join(f'_sekisho-{role}' for role in missing)}")
    if shutil.which("systemd-sysusers"):
        run("systemd-sysusers", f"{tree.systemd}/sysusers.d/sekisho.conf")
        return
    for role in missing:
        run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/",
            "--shell", "/usr/sbin/nologin", "--comment", f"sekisho {role}", f"_sekisho-{role}")


def systemd_runs():
    return Path("/run/systemd/system").is_dir() and shutil.which("systemctl") is not None


def is_active():
    return systemd_runs() and run("systemctl", "--quiet", "is-active", UNIT, check=False) == 0


def settle(tree):
    """Users, folders, the service manager: what needs the machine and not only its files."""
    make_users(tree)
    if shutil.which("systemd-tmpfiles"):
        run("systemd-tmpfiles", "--create", f"{tree.systemd}/tmpfiles.d/sekisho.conf")
    if systemd_runs():
        run("systemctl", "daemon-reload")


def check_configuration(tree, fresh):
    done = subprocess.run([BUILD / "sekisho", "check", "-c", str(tree / CONF)], text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        say(f"still to be said in {CONF}:" if fresh else
            f"{CONF} does not fit this version; what runs goes on with what it has read:")
        print(done.stderr, end="")
    return done.returncode == 0


def tell_next(tree, fresh, good):
    if not tree.live:
        say(f"laid out below {tree.destdir}; its users are made by systemd-sysusers there")
    elif not good and not fresh:
        say(f"mend {CONF} before the server is started with this version")
    elif is_active():
        say("a server runs, still of the version before. Sessions may finish for `drain` seconds:")
        print("    systemctl restart sekisho")
    elif fresh:
        say(f"next: say in {CONF} which domains are yours; then")
        print("    sekisho check && systemctl enable --now sekisho" if systemd_runs() else
              "    sekisho check && sekisho run")


def install(tree):
    if tree.live and os.geteuid() != 0:
        sys.exit("install: only root can; with --destdir anybody lays the files out elsewhere")
    say(f"installing below {tree.destdir}{tree.prefix}")
    upgrade = bool(tree.read_manifest())
    (tree / "/").mkdir(parents=True, exist_ok=True)
    put_executables(tree)
    put_documents(tree)
    put_service(tree)
    put_sendmail(tree)
    fresh = put_configuration(tree)
    tree.finish()
    if tree.live:
        settle(tree)
    good = not tree.live or check_configuration(tree, fresh)
    say("upgraded" if upgrade else "installed")
    tell_next(tree, fresh, good)
    return 0 if good or fresh else 78


# ---- away with it ----

def purge(tree):
    """Mail, configuration and users: only where that was asked for in so many letters."""
    for path in ("/etc/sekisho", STATE, "/run/sekisho"):
        shutil.rmtree(tree / path, ignore_errors=True)
    if not tree.live:
        return
    for role in roles():
        if is_user(f"_sekisho-{role}"):
            run("userdel", f"_sekisho-{role}", check=False)
        subprocess.run(["groupdel", f"_sekisho-{role}"], stderr=subprocess.DEVNULL, check=False)


def data_dir(tree):
    """Where the configuration says that mail lies; the usual place where it cannot be read."""
    exe = tree / f"{tree.prefix}/sbin/sekisho"
    done = subprocess.run([exe, "config", "--json", "-c", str(tree / CONF)], text=True,
                          capture_output=True, check=False) if exe.exists() else None
    return json.loads(done.stdout)["data_dir"] if done and done.returncode == 0 else STATE


def uninstall(tree, everything):
    rows = tree.read_manifest()
    if not rows:
        sys.exit(f"uninstall: nothing was installed: there is no {tree.destdir}{tree.manifest}")
    if tree.live and os.geteuid() != 0:
        sys.exit("uninstall: only root can")
    mail = data_dir(tree)
    if tree.live and systemd_runs():
        run("systemctl", "--quiet", "disable", "--now", UNIT, check=False)
    (tree / tree.manifest).unlink()
    if everything:
        purge(tree)
    tree.remove(rows)
    if tree.live and systemd_runs():
        run("systemctl", "daemon-reload")
    say("uninstalled")
    kept = [path for path in ("/etc/sekisho", mail) if os.path.lexists(tree / path)]
    users = "" if everything or not tree.live else " and the users _sekisho-*"
    if kept:
        say(f"kept: {' '.join(kept)}{users}; uninstall --purge removes those in their usual place")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="./bootstrap", description=__doc__.split("\n", 1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("install", "uninstall"):
        words = verbs.add_parser(verb)
        words.add_argument("--destdir", default="", help="a folder that stands for the root")
        words.add_argument("--prefix", default="/usr/local")
        if verb == "uninstall":
            words.add_argument("--purge", action="store_true",
                               help="mail, configuration and users too")
    asked = parser.parse_args()
    destdir = os.path.abspath(asked.destdir) if asked.destdir else ""
    tree = Tree("" if destdir == "/" else destdir, os.path.normpath(asked.prefix))
    if not tree.prefix.startswith("/"):
        parser.error("--prefix is a path from the root on")
    os.umask(0o022)
    sys.exit(install(tree) if asked.verb == "install" else uninstall(tree, asked.purge))


if __name__ == "__main__":
    main()
