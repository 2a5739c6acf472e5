"""sekisho.conf(5) as it is installed: made from the parser's tables."""

import json
import subprocess

import pytest

from harness import BUILD

PAGE = BUILD / "man" / "sekisho.conf.5"


def test_every_option_and_key_is_in_the_manual():
    if not PAGE.exists():
        pytest.skip("this build makes no manual")
    page = PAGE.read_text()
    done = subprocess.run([BUILD / "sekisho", "config", "--defaults", "--json"], text=True,
                          capture_output=True, check=True)
    told = json.loads(done.stdout)
    names = [name for name, value in told.items() if not isinstance(value, (list, dict))]
    assert len(names) > 25
    for name in names + ["same_as", "catch_all", "to", "address"]:
        assert page.count(f"\n.It Ic {name}\n") == 1, name
    for name in ("listen", "domain", "alias"):
        assert f"\n.Ss {name} " in page
    for name in ("data_dir", "control_socket", "uid_base"):
        there = page.index(f"\n.It Ic {name}\n")
        assert "until it is started anew" in page[there:page.index("\n.It ", there + 1)]


@pytest.mark.needs_tool("mandoc")
def test_the_manual_is_well_formed():
    if not PAGE.exists():
        pytest.skip("this build makes no manual")
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", PAGE], text=True, capture_output=True,
                          check=False)
    assert done.stdout == ""
