"""The suites: each is a function that yields cases, and the builds it needs first."""

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile

from . import form
from .builds import BUILDS, ROOT
from .results import FAILED, PASSED, SKIPPED, Case, junit_cases, meson_cases

FUZZ_SECONDS = int(os.environ.get("SEKISHO_FUZZ_SECONDS") or 10)  # a target
AGAIN_MOST = 4  # failed tests that are given a second try
_FAILED_ID = re.compile(r"^(test/\S+\.py::.*?) (?:FAILED|ERROR)\b", re.M)
SYSTEM_SECONDS = 1800  # all whole-system tests together
LOGS = ROOT / "build" / "test-logs"


def _meson_test(build_name, suite):
    build = BUILDS[build_name]
    base = f"{suite}-{build_name}"
    env = {**os.environ, **build.env, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    done = subprocess.run(
        ["meson", "test", "-C", build.folder, "--no-rebuild", "--suite", suite, "--logbase", base],
        cwd=ROOT, env=env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    testlog = build.path / "meson-logs" / f"{base}.json"
    cases = list(meson_cases(testlog)) if testlog.exists() else []
    if done.returncode != 0 and not any(case.outcome == FAILED for case in cases):
        cases.append(Case(f"meson test {base}", FAILED, done.stdout))
    return cases


def unit():
    """cmocka tests beside the code, as released"""
    yield from _meson_test("gcc", "unit")


def corpus():
    """fuzz targets over their corpora, as released"""
    yield from _meson_test("gcc", "corpus")


def clang():
    """unit tests as clang builds them"""
    yield from _meson_test("clang", "unit")


def asan():
    """unit and corpus tests under the sanitizers"""
    yield from _meson_test("asan", "unit")
    yield from _meson_test("asan", "corpus")


def _fuzz_one(target):
    name = target.name.removeprefix("fuzz-")
    seeds = ROOT / "test" / "fuzz" / "corpus" / name
    found = BUILDS["fuzz"].path / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sekisho-fuzz-") as grown:
        command = [target, f"-max_total_time={FUZZ_SECONDS}", "-timeout=20", "-rss_limit_mb=2048",
                   "-print_final_stats=1", f"-artifact_prefix={found}/", grown]
        done = subprocess.run(
            command + ([seeds] if seeds.is_dir() else []), env={**os.environ, **BUILDS["fuzz"].env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode("utf-8", "replace")
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"fuzz-{name}.log").write_text(output, encoding="utf-8")
    return Case(name, PASSED if done.returncode == 0 else FAILED, output[-6000:])


def fuzz():
    """libFuzzer targets, each for a short time (SEKISHO_FUZZ_SECONDS, default 10)"""
    targets = sorted(path for path in BUILDS["fuzz"].path.glob("fuzz-*")
                     if path.is_file() and os.access(path, os.X_OK))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(_fuzz_one, targets)


def _wait(run, seconds):
    """Its exit code. Past its time it is interrupted first, so that it ends what it started."""
    for sig, patience in ((signal.SIGINT, 60), (signal.SIGKILL, 0)):
        try:
            return run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(sig)
            seconds = patience
    run.wait()
    return "none: killed, out of time"


def _pytest_once(where, name, seconds, build):
    """Its exit code, its cases; build/test-logs/NAME.log has all of it."""
    junit = LOGS / f"{name}.xml"
    junit.unlink(missing_ok=True)
    env = {**os.environ, **build.env, "SEKISHO_BUILD": str(build.path),
           "SEKISHO_HOSTILE_BUILD": str(BUILDS["hostile"].path),
           "SEKISHO_FAULTS_BUILD": str(BUILDS["faults"].path)}
    if "ASAN_OPTIONS" in env:  # no process that has changed its uid can look for leaks
        env["ASAN_OPTIONS"] = env["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0")
    with open(LOGS / f"{name}.log", "w", encoding="utf-8") as out:
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", *where, f"--junitxml={junit}", "-v", "-rs",
             "--durations=15"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT)
        code = _wait(run, seconds)
    return code, list(junit_cases(junit)) if junit.exists() else []


def _again(name, cases, seconds, build):
    """A few that failed run once more, alone: they wait for real processes on a machine that may
    have stalled. What then passes is said by name, and its first failure stays in the log."""
    text = (LOGS / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    ids = sorted(set(_FAILED_ID.findall(text)))
    if not 0 < len(ids) <= AGAIN_MOST:
        return cases
    _, second = _pytest_once(ids, f"{name}-again", seconds, build)
    mended = {case.name for case in second if case.outcome == PASSED}
    for case in cases:
        if case.outcome == FAILED and case.name in mended:
            print(f"{name}: failed, and passed alone at a second try: {case.name}\n"
                  f"{case.detail[-1500:]}", flush=True)
    return [Case(case.name, PASSED) if case.name in mended else case for case in cases]


def _pytest(where, name, seconds, build_name="gcc"):
    LOGS.mkdir(parents=True, exist_ok=True)
    build = BUILDS[build_name]
    code, cases = _pytest_once(where, name, seconds, build)
    failed = any(case.outcome == FAILED for case in cases)
    if code == 1 and failed:
        cases = _again(name, cases, seconds, build)
    elif code != 0 and not failed:
        tail = (LOGS / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-6000:]
        cases.append(Case(f"pytest {' '.join(where)}", FAILED, f"exit code {code}\n{tail}"))
    return cases


def system():
    """whole-system tests: real processes, real SMTP on loopback"""
    yield from _pytest(["test"], "system", SYSTEM_SECONDS)


# What reads octets of others or changes its shape while it runs; no long waits, no loads. It should
# stay near two minutes on two cores.
ASAN_TESTS = (
    "test/house/test_life.py", "test/house/test_log.py", "test/house/test_relink.py",
    "test/smtp/test_neighbours.py", "test/smtp/test_relay.py", "test/smtp/test_smuggling.py",
    "test/smtp/test_state.py", "test/local", "test/mailbox", "test/lmtp/test_server.py",
    "test/net/test_unix.py", "test/reload/test_reload.py", "test/operator/test_backup.py",
    "test/operator/test_change.py", "test/operator/test_explain.py", "test/operator/test_metrics.py",
    "test/operator/test_queue.py", "test/operator/test_socket.py", "test/operator/test_user.py",
)


def system_asan():
    """whole-system tests of sessions, mailboxes, reload and operators, all processes under the
    sanitizers"""
    yield from _pytest(ASAN_TESTS, "system-asan", SYSTEM_SECONDS, "asan")


def soak():
    """chaos for SEKISHO_SOAK_MINUTES, then the crash tests for half as long"""
    minutes = float(os.environ.get("SEKISHO_SOAK_MINUTES") or 30)
    parts = {"chaos": (["test/soak"], 1), "crash": (["test/crash", "test/sysusers/test_crash.py"], 0.5)}
    for name, (where, share) in parts.items():
        os.environ["SEKISHO_SOAK_MINUTES"] = str(minutes * share)
        yield from _pytest(where, f"soak-{name}", minutes * share * 60 * 2 + SYSTEM_SECONDS)


def form_checks():
    """what STYLE promises of the source, the documents and the executables"""
    for name, check in form.CHECKS:
        problems = check()
        if problems is None:
            yield Case(name, SKIPPED, "its tool is not installed")
        else:
            yield Case(name, FAILED if problems else PASSED, "\n".join(problems))


# name -> (builds, function), in the order they run: what is quick and breaks often first
SUITES = {
    "form": (("gcc",), form_checks),
    "unit": (("gcc",), unit),
    "corpus": (("gcc",), corpus),
    "system": (("gcc", "hostile", "faults"), system),
    "clang": (("clang",), clang),
    "asan": (("asan",), asan),
    "system-asan": (("asan",), system_asan),
    "fuzz": (("fuzz",), fuzz),
    "soak": (("gcc", "faults"), soak),
}
ALL = tuple(name for name in SUITES if name != "soak")
