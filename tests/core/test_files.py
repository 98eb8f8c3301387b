"""Files that a killed process leaves whole."""
# the expected value stands on the left

import json
import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.files import append_lines, read_lines, replace_file, replace_files

LINES = st.lists(st.dictionaries(st.text(max_size=5), st.integers()), max_size=5)


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path):
    """Nothing else is left in its folder."""
    path = tmp_path / "new" / "a.txt"
    replace_file(path, b"one")
    path.chmod(0o640)
    replace_file(path, b"two")
    assert (b"two", 0o640) == (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    assert [path] == list(path.parent.iterdir())


def test_a_private_file_is_its_owners_alone(tmp_path):
    """Whatever the umask says."""
    replace_file(tmp_path / "a", b"secret", private=True)
    assert 0o600 == stat.S_IMODE((tmp_path / "a").stat().st_mode)


def test_a_failure_replaces_no_file_and_names_the_one_that_it_is_about(tmp_path):
    """The folder of the second is a file."""
    (tmp_path / "file").write_text("in the way", "utf-8")
    (tmp_path / "a").write_text("old", "utf-8")
    with pytest.raises(OSError, match="file") as error:
        replace_files({tmp_path / "a": b"new", tmp_path / "file" / "b": b"new"})
    assert str(tmp_path / "file" / "b") == error.value.filename
    assert "old" == (tmp_path / "a").read_text("utf-8")
    assert {"a", "file"} == {path.name for path in tmp_path.iterdir()}


def test_a_full_disk_loses_nothing(tmp_path):
    """A limit on the size of files stands for it: the old content stays, and nothing is left beside it."""
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import pathlib, resource, signal\n"
        "from suite.core.files import append_lines, replace_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "for write in (lambda: replace_file(pathlib.Path('a'), b'x' * 5000),\n"
        "              lambda: append_lines(pathlib.Path('lines'), [b'\"' + b'x' * 5000 + b'\"'])):\n"
        "    try: write()\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ["OSError", "OSError"] == done.stdout.split()
    assert b"old" == (tmp_path / "a").read_bytes()
    assert {"a", "lines"} == {path.name for path in tmp_path.iterdir()}
    assert [] == list(read_lines(tmp_path / "lines"))
    append_lines(tmp_path / "lines", [b"{}"])
    assert [(1, b"{}")] == list(read_lines(tmp_path / "lines"))


@given(before=LINES, after=LINES, cut=st.integers(min_value=0))
def test_no_whole_line_is_lost_wherever_a_process_was_killed(tmp_path_factory, before, after, cut):
    """The line that it was writing is dropped, or was whole."""
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    append_lines(path, [json.dumps(row).encode() for row in before])
    whole = path.read_bytes()
    torn = whole + json.dumps({"last": "one"}).encode()
    path.write_bytes(torn[: max(len(whole), cut % (len(torn) + 1))])
    append_lines(path, [json.dumps(row).encode() for row in after])
    rows = [json.loads(line) for _, line in read_lines(path)]
    assert rows in ([*before, *after], [*before, {"last": "one"}, *after])


def test_a_torn_line_may_be_kept_and_ended(tmp_path):
    """A history changes nothing that is there."""
    (tmp_path / "a").write_bytes(b'{"half": ')
    append_lines(tmp_path / "a", [b"{}"], keeps_torn=True)
    assert b'{"half": \n{}\n' == (tmp_path / "a").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="other rules for files that are open")
def test_nothing_to_add_leaves_a_file(tmp_path):
    """Then the file is there, and empty."""
    append_lines(tmp_path / "a", [])
    assert [] == list(read_lines(tmp_path / "a"))
