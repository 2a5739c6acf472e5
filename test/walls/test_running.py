"""SBX-2, SBX-3: who each role is, what it may do and what it holds, as the kernel tells it, equal a
golden list. Fails when any role runs without its own uid, seccomp, Landlock or one of the rest."""

import collections
import os
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_root("uids, namespaces and chroots are what is looked at")

ROLES = ("control", "deliver", "edge", "logger", "remote", "spool", "state", "store", "vault", "writer")
FOLDERS = {"vault": "accounts", "store": "journal", "spool": "spool", "writer": "spool/body",
           "deliver": "mail"}  # the others have an empty one
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def house(new_server):
    """A server all of whose roles have said that their walls stand."""
    server = new_server(domains={"example.org": "", "far.example": 'deliver = "lmtp:/nobody"'})
    server.start()
    server.wait_log(event="started")
    return server


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def descriptor_kind(link):
    """What a descriptor is, without the number that differs each time."""
    kind = re.sub(r":\[\d+\]$", "", link)
    kind = re.sub(r"^anon_inode:", "", kind)
    kind = re.sub(r"^/memfd:(.*) \(deleted\)$", r"memfd \1", kind)
    kind = re.sub(r"^/\.tmp-\d+$", "/.tmp-N", kind)  # paths are as the role's own root has them
    kind = re.sub(r"^/.*/new$", "/DOMAIN/USER/new", kind)
    return re.sub(r"^/tmp/sekisho-test-.*/log$", "where sekisho run was told to log", kind)


def descriptors_of(pid):
    return collections.Counter(
        descriptor_kind(os.readlink(entry.path)) for entry in os.scandir(f"/proc/{pid}/fd"))


def test_each_role_has_a_uid_of_its_own(house):
    uids = {}
    for role in ROLES:
        for pid in house.pids(role):
            status = status_of(pid)
            ids = set(status["Uid"].split()) | set(status["Gid"].split())
            assert len(ids) == 1 and ids != {"0"}, f"{role}: Uid {status['Uid']} Gid {status['Gid']}"
            assert status["Groups"].strip() == "", f"{role} is in groups {status['Groups']}"
            uids.setdefault(ids.pop(), set()).add(role)
    assert all(len(roles) == 1 for roles in uids.values()), uids
    assert len(uids) == len(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_walls_stand(house, role):
    pids = house.pids(role)
    assert pids, f"no {role} runs"
    for pid in pids:
        status = status_of(pid)
        walls = {name: status[name].strip() for name in
                 ("NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
        zero = "0" * 16
        assert walls == {"NoNewPrivs": "1", "Seccomp": "2", "CapInh": zero, "CapPrm": zero,
                         "CapEff": zero, "CapBnd": zero, "CapAmb": zero}
        for space in ("net", "mnt", "ipc", "uts"):
            assert os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}"), space
        folder = FOLDERS.get(role, "empty")
        assert os.path.samefile(f"/proc/{pid}/root", house.data_dir / folder)
        assert os.path.samefile(f"/proc/{pid}/cwd", house.data_dir / folder)
        mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        assert len(mounts) == 1 and " / " in mounts[0], mounts
        how = mounts[0].split()[5].split(",")
        assert {"nosuid", "nodev", "noexec", "ro" if folder == "empty" else "rw"} <= set(how)


def test_no_role_reports_a_missing_wall(house):
    """Landlock shows nowhere in /proc: the role itself reports what stands, master what is missing."""
    assert house.log(event="started"), house.log_tail()
    assert not house.log(event="walls_missing")


@pytest.mark.parametrize("role", ROLES)
def test_limits_stand(house, role):
    limits = {}
    for line in Path(f"/proc/{house.pids(role)[0]}/limits").read_text().splitlines()[1:]:
        name, soft = re.match(r"(.{25})\s+(\S+)", line).groups()
        limits[name.strip()] = soft
    assert limits["Max core file size"] == "0"
    assert limits["Max processes"] == "0"
    assert int(limits["Max open files"]) <= 20000
    writes = role in ("deliver", "logger", "spool", "store", "vault", "writer")
    assert (limits["Max file size"] == "0") != writes


@pytest.mark.parametrize("role", ROLES)
def test_descriptors_are_those_of_the_golden_list(house, role):
    house.deliver(["alice@example.org"], b"Subject: x\r\n\r\nx\r\n")
    house.wait_delivered(1)
    rows = [line.split("\t") for line in (GOLDEN / "descriptors.tsv").read_text().splitlines()]
    golden = {kind for whose, kind in rows if whose in (role, "each")}
    held = {kind for pid in house.pids(role) for kind in descriptors_of(pid)}
    assert held == golden


def test_no_environment_and_no_argument_tells_a_secret(house):
    for role in ROLES:
        for pid in house.pids(role):
            assert Path(f"/proc/{pid}/environ").read_bytes() == b""
