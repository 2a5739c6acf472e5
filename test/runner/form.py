"""The form that tools can hold: each check is a function that lists what breaks it."""

import os
import re
import shutil
import subprocess

from .builds import BUILDS, ROOT

LINES_OF_A_FILE = 600
LINES_OF_A_FUNCTION = 60

# A folder uses only those above it; those in one row are apart and see nothing of each other.
ORDER = (
    ("base",), ("proto",), ("policy",), ("db",), ("ipc",), ("cfg",), ("role",),
    ("edge", "vault", "state", "store", "spool", "writer", "deliver", "remote", "control", "logger"),
    ("master",), ("command", "sendmail"),
)
PURE = ("base", "proto", "policy")

# What no executable of ours may import: shells, other programs, code from outside, libc's
# resolver and its name services. Only master starts programs and looks users up.
NOT_IMPORTED = re.compile(
    r"^(system|popen|wordexp|execv?p?e?|execl[pe]?|execvpe|fexecve|execveat|posix_spawnp?|v?fork"
    r"|dlm?open|getaddrinfo|getnameinfo|gethostby.*|get(pw|gr)(nam|uid|gid|ent).*|getservby.*"
    r"|strcpy|strcat|sprintf|vsprintf|strtok|atoi|gets|alloca)$")
MAY_IMPORT = {"sekisho": {"execve", "fexecve", "fork", "getgrnam_r", "getpwnam", "getpwnam_r"},
              # no role: it has its caller's rights, and becomes `sekisho` for -bp
              "sekisho-sendmail": {"execv", "getpwuid"}}

_INCLUDE = re.compile(r'^#include "([a-z]+)/([^"]+)"', re.M)
_NAMED = re.compile(r"`((?:src|test|doc|man|\.ci)/[A-Za-z0-9_./-]*|bootstrap|[A-Z]+\.md)`|"
                    r"\]\(((?!https?:)[^)#]+)\)")
# in two halves, so that this line is none
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|#if [0]\b")


def _tree():
    """Every file of ours but the fuzzers' corpora, which may hold anything."""
    for folder, inside, names in os.walk(ROOT):
        inside[:] = sorted(
            name for name in inside
            if name not in ("__pycache__", "node_modules", "corpus", "demo")
            and not name.startswith("build") and (name == ".ci" or not name.startswith(".")))
        for name in sorted(names):
            path = ROOT / folder / name
            if not path.is_symlink() and path.is_file() and name != ".git":
                yield path


def _ours(*suffixes, under=""):
    return [path for path in _tree()
            if path.suffix in suffixes and path.is_relative_to(ROOT / under)]


def _short(path):
    return str(path.relative_to(ROOT))


def _is_text(path):
    return b"\0" not in path.read_bytes()


def text_files():
    problems = []
    for path in filter(_is_text, _tree()):
        octets = path.read_bytes()
        if octets and not octets.endswith(b"\n"):
            problems.append(f"{_short(path)}: does not end in a newline")
        if b"\r" in octets:
            problems.append(f"{_short(path)}: has a CR")
        for number, line in enumerate(octets.split(b"\n"), 1):
            if line.endswith((b" ", b"\t")):
                problems.append(f"{_short(path)}:{number}: ends in a blank")
        try:
            octets.decode("utf-8")
        except UnicodeDecodeError:
            problems.append(f"{_short(path)}: is no UTF-8")
    return problems


def nothing_unfinished():
    return [f"{_short(path)}:{number}: {line.strip()}"
            for path in filter(_is_text, _tree())
            for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1)
            if _UNFINISHED.search(line)]


def formatted():
    if shutil.which("clang-format") is None:
        return None
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *_ours(".c", ".h")], cwd=ROOT,
                          text=True, capture_output=True, check=False)
    return [line for line in done.stderr.splitlines() if ": error: " in line]


def _rank(folder):
    return next((i for i, row in enumerate(ORDER) if folder in row), None)


def folders_use_those_above():
    problems = []
    for path in _ours(".c", ".h", ".def", under="src"):
        mine = path.relative_to(ROOT / "src").parts[0]
        if _rank(mine) is None:
            problems.append(f"{_short(path)}: {mine} has no place in ORDER (test/runner/form.py)")
            continue
        for theirs, name in _INCLUDE.findall(path.read_text("utf-8")):
            if theirs != mine and (_rank(theirs) is None or _rank(theirs) >= _rank(mine)):
                problems.append(f"{_short(path)}: includes {theirs}/{name}")
    return problems


def pure_files_have_tests():
    """x_slow.c is a plain model that x_fuzz.c compares x.c with: itself a test."""
    return [f"{_short(path)}: no {path.stem}_test.c beside it"
            for folder in PURE for path in _ours(".c", under=f"src/{folder}")
            if not path.stem.endswith(("_test", "_fuzz", "_slow"))
            and not path.with_name(f"{path.stem}_test.c").exists()]


def tests_are_built():
    """Each test and fuzz target is compiled: the build's own list names it."""
    compiled = (BUILDS["gcc"].path / "compile_commands.json").read_text("utf-8")
    return [f"{_short(path)}: no meson.build names it" for path in _ours(".c", under="src")
            if path.stem.endswith(("_test", "_fuzz")) and f"{_short(path)}\"" not in compiled]


def sizes():
    problems = []
    for path in _ours(".c", ".h", ".py"):
        lines = path.read_text("utf-8").split("\n")
        if len(lines) > LINES_OF_A_FILE:
            problems.append(f"{_short(path)}: {len(lines)} lines")
        begun = 0
        for number, line in enumerate(lines, 1):
            if line == "{":
                begun = number
            elif line == "}" and begun and number - begun - 1 > LINES_OF_A_FUNCTION:
                problems.append(f"{_short(path)}:{begun}: a function of {number - begun - 1} lines")
    return problems


def imports():
    if shutil.which("nm") is None:
        return None
    problems = []
    for path in sorted(BUILDS["gcc"].path.glob("sekisho*")):
        if not path.is_file() or path.suffix:  # a manual page is made there too
            continue
        done = subprocess.run(["nm", "-D", "--undefined-only", path], text=True,
                              capture_output=True, check=True)
        names = {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()}
        bad = {name for name in names if NOT_IMPORTED.match(name)} - MAY_IMPORT.get(path.name, set())
        problems += [f"{path.name} imports {name}" for name in sorted(bad)]
    return problems


def headers_compile_alone():
    problems = []
    for path in _ours(".h", under="src"):
        name = str(path.relative_to(ROOT / "src"))
        done = subprocess.run(
            ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Isrc", "-Wall", "-Werror", "-fsyntax-only",
             "-x", "c", "-"], cwd=ROOT, text=True, capture_output=True, check=False,
            input=f'#include "{name}"\n')
        if done.returncode != 0 and not path.stem.endswith("_rows"):
            problems.append(f"{name}:\n{done.stderr}")
    return problems


def named_files_exist():
    problems = []
    for path in _ours(".md"):
        for code, link in _NAMED.findall(path.read_text("utf-8")):
            name = (code or link).rstrip("/")
            if not (ROOT / name).exists() and not (path.parent / name).exists():
                problems.append(f"{_short(path)} names {name}, which is not there")
    return problems


def shell_is_clean():
    if shutil.which("shellcheck") is None:
        return None
    scripts = [path for path in _tree() if path.read_bytes()[:64].startswith(
        (b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash"))]
    done = subprocess.run(["shellcheck", "--format=gcc", *scripts], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    return done.stdout.splitlines() + done.stderr.splitlines()


def manuals_are_clean():
    if shutil.which("mandoc") is None:
        return None
    pages = sorted((ROOT / "man").glob("*.[1-9]"))
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    return done.stdout.splitlines() + done.stderr.splitlines()


def _package_of(library):
    """The Debian package that has this pkg-config file; None where dpkg is none of ours."""
    done = subprocess.run(["pkg-config", "--variable=pcfiledir", library], text=True,
                          capture_output=True, check=False)
    owner = subprocess.run(["dpkg", "-S", f"{done.stdout.strip()}/{library}.pc"], text=True,
                           capture_output=True, check=False)
    return owner.stdout.partition(":")[0] or None


def bootstrap_installs_libraries():
    """A machine that lacks one could not build; this one, which has it, would not notice."""
    if shutil.which("dpkg") is None:
        return None
    words = (ROOT / "bootstrap").read_text("utf-8").split()
    libraries = [name for path in _tree() if path.name == "meson.build"
                 for name in re.findall(r"\bdependency\('([^']+)'", path.read_text("utf-8"))]
    return [f"bootstrap does not name {package}, which has {library}"
            for library in libraries for package in [_package_of(library)]
            if package not in words]


CHECKS = (
    ("text files are UTF-8 with LF, a final newline and no trailing blanks", text_files),
    ("nothing is left unfinished", nothing_unfinished),
    ("clang-format changes nothing", formatted),
    ("a folder includes only those above it; processes never each other", folders_use_those_above),
    ("every pure file has a test beside it", pure_files_have_tests),
    ("every test and fuzz target is built", tests_are_built),
    ("no file over 600 lines, no function over 60", sizes),
    ("no executable imports a shell, a loader or libc's resolver", imports),
    ("every header compiles alone", headers_compile_alone),
    ("files that documents name exist", named_files_exist),
    ("shellcheck finds nothing", shell_is_clean),
    ("mandoc finds nothing in the manuals", manuals_are_clean),
    ("bootstrap installs every library the build asks for", bootstrap_installs_libraries),
)
