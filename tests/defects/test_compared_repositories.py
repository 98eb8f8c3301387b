"""`suite compare` in repositories as users have them: the other commit's own code is compared, or it says why not."""
# the expected value stands on the left

import os
import sys
import sysconfig

import pytest

pytestmark = pytest.mark.system

SAME, WORSE, REFUSED = 0, 1, 11
OTHER_USER = 1234


def row(done, metric):
    """The cells of a metric's line in the table."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"ours-baseline-cpu  {metric} ")]
    return line.split()


def test_the_reference_of_an_editable_install_is_the_other_commits_package(made, compared, tmp_path):
    """A .pth file names the checkout's folder; three times the work must not be compared with itself."""
    repository, venv = tmp_path / "repository", tmp_path / "venv"
    made("40", repository, venv, sysconfig.get_path("purelib"), sys.executable)
    done = compared(repository, python=str(venv / "bin" / "python"))
    assert SAME == done.returncode, done.stdout + done.stderr
    assert "differs" == row(done, "output_difference")[-1]


def test_files_that_are_kept_out_of_archives_are_compared(made, compared):
    """Three layers against one."""
    done = compared(made("41", "repository") / "repository")
    assert WORSE == done.returncode, done.stdout + done.stderr
    assert ["12480", "/", "4160", "exact", "regressed"] == row(done, "parameters")[2:]


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_told_with_gits_words_and_the_command_that_helps(made, compared):
    repository = made("41", "repository") / "repository"
    for path in (repository, *repository.rglob("*")):
        os.chown(path, OTHER_USER, OTHER_USER, follow_symlinks=False)
    done = compared(repository)
    assert REFUSED == done.returncode, done.stdout + done.stderr
    assert "dubious ownership" in done.stderr
    assert f"git config --global --add safe.directory {repository}" in done.stderr


def test_a_package_below_src_that_is_not_installed_is_told_where_it_lies(made, compared):
    done = compared(made("44", ".") / "renamed")
    assert REFUSED == done.returncode, done.stdout + done.stderr
    assert (
        "it lies in src/newname: install your package (pip install -e .), or start with PYTHONPATH=src" in done.stderr
    )


def test_a_network_in_a_submodule_is_compared(made, compared):
    """The commit's archive has none of its files; the checkout beside it has."""
    done = compared(made("44", ".") / "whole")
    assert SAME == done.returncode, done.stdout + done.stderr
    assert "same" == row(done, "output_difference")[-1]
    assert "so the reference lacks its files" not in done.stdout
