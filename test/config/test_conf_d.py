"""Files of conf.d are read behind sekisho.conf, in the order of their names' octets."""

import json
import subprocess

import pytest

from harness import BUILD

MAIN = """hostname = "mail.example.org"
data_dir = "{data}"
listen "mx" {{ address = "127.0.0.1:2525" }}
domain "example.org" {{ alias "postmaster" {{ to = {{"alice"}} }} }}
"""


@pytest.fixture
def conf(tmp_path):
    """write(name=text, ...): files of conf.d; returns what sekisho says."""
    (tmp_path / "conf.d").mkdir()
    main = tmp_path / "sekisho.conf"
    main.write_text(MAIN.format(data=tmp_path / "data"))

    def run(command="check", **files):
        for name, text in files.items():
            (tmp_path / "conf.d" / name.replace("_", "-").replace("-conf", ".conf")).write_text(text)
        return subprocess.run([BUILD / "sekisho", *command.split(), "-c", main], text=True,
                              capture_output=True, check=False)

    run.folder = tmp_path
    return run


def test_sections_add_up_and_the_first_domain_is_that_of_the_main_file(conf):
    done = conf("config --json", a_conf='domain "aaa.example" { catch_all = "alice" }\nedges = 3\n',
                b_conf='listen "more" { address = "127.0.0.1:2526" }')
    told = json.loads(done.stdout)
    assert told["edges"] == 3
    assert [listen["name"] for listen in told["listen"]] == ["mx", "more"]
    shown = conf("config").stdout
    assert shown.index('domain "example.org"') < shown.index('domain "aaa.example"')


def test_order_is_that_of_the_octets(conf):
    conf(a_conf="", Z_conf="")
    done = conf(a_conf="nosuch = 1\n", Z_conf="nosuch = 2\n", **{"10_conf": "nosuch = 3\n"})
    places = [line.split(": ")[0] for line in done.stderr.splitlines()]
    assert places == [f"{conf.folder}/conf.d/{name}:1" for name in ("10.conf", "Z.conf", "a.conf")]


def test_a_key_set_twice_names_both_places(conf):
    done = conf(a_conf="# one\nedges = 3\n", b_conf="\n\nedges = 4\n")
    folder = conf.folder / "conf.d"
    assert done.returncode == 78
    assert done.stderr == f"{folder}/b.conf:3: edges: set twice, first in {folder}/a.conf:2\n"


def test_a_section_twice_names_both_places(conf):
    done = conf(a_conf='\ndomain "example.org" {}\n')
    assert f"{conf.folder}/conf.d/a.conf:2: domain: \"example.org\" is there twice, first in " \
        f"{conf.folder}/sekisho.conf:4\n" in done.stderr


@pytest.mark.parametrize("text", ['listen "x" {\n', "edges =", "edges", 'hostname = "', "edges = {1,"])
def test_what_a_file_leaves_open_is_not_closed_by_the_next(conf, text):
    done = conf(a_conf=text, b_conf=' address = "127.0.0.1:1" }\n3\n}\n')
    assert done.returncode == 78
    assert f"{conf.folder}/conf.d/a.conf:1: " in done.stderr, done.stderr


def test_other_names_are_left_alone(conf):
    (conf.folder / "conf.d" / ".hidden.conf").write_text("nosuch = 1\n")
    (conf.folder / "conf.d" / "a.conf.dpkg-old").write_text("nosuch = 1\n")
    (conf.folder / "conf.d" / "a.conf~").write_text("nosuch = 1\n")
    assert conf().returncode == 0


def test_a_file_that_cannot_be_opened_is_an_error(conf):
    (conf.folder / "conf.d" / "a.conf").symlink_to("nowhere")
    done = conf()
    assert done.returncode == 78
    assert f"{conf.folder}/conf.d/a.conf: cannot be opened" in done.stderr
