"""The builds that are tested: one row each, made with meson and ninja when a suite needs it."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .results import FAILED, PASSED, Case

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Build:
    folder: str
    what: str
    compiler: str = "gcc"
    options: tuple = ()
    target: str = "all"
    env: dict = field(default_factory=dict)

    @property
    def path(self):
        return ROOT / self.folder


SANITIZE = ("-Db_sanitize=address,undefined",)
SANITIZER_ENV = {
    "SEKISHO_SANITIZED": "1",
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}

BUILDS = {
    "gcc": Build("build", "as released"),
    "clang": Build("build-clang", "the other compiler's warnings are errors too", "clang"),
    "asan": Build("build-asan", "AddressSanitizer and UndefinedBehaviorSanitizer",
                  options=SANITIZE, env=SANITIZER_ENV),
    "fuzz": Build("build-fuzz", "libFuzzer targets", "clang", ("-Dfuzz=true", *SANITIZE),
                  env=SANITIZER_ENV),
    "hostile": Build("build-hostile", "roles that try to break out", options=("-Dhostile=true",),
                     target="programs"),
    "faults": Build("build-faults", "roles whose calls can be made to fail",
                    options=("-Dfaults=true",), target="programs"),
}


def _run(command, env):
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def make(build):
    """Set it up where it is not, and build it: one case."""
    name = f"{build.folder} builds with {build.compiler}"
    if not (build.path / "build.ninja").exists():
        done = _run(["meson", "setup", build.folder, *build.options], {"CC": build.compiler})
        if done.returncode != 0:
            return Case(name, FAILED, done.stdout)
    # suites run beside it, and what they time is worth more
    done = _run(["nice", "-n", "15", "ninja", "-C", build.folder, build.target], {})
    return Case(name, PASSED if done.returncode == 0 else FAILED, done.stdout)
