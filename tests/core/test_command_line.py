"""Slips on the command line end at once, with the nearest name and exit code 11."""
# the expected value stands on the left

import subprocess
import sys

import pytest

from suite.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bench", "--quik"], "unknown option '--quik'; did you mean --quick?"),
        (["bench", "--worklaod=wine"], "unknown option '--worklaod'; did you mean --workload?"),
        (["bnech"], "unknown command 'bnech'; did you mean bench or search?"),
        (["plan", "--buget", "x"], "unknown option of `suite plan` '--buget'; did you mean --budget?"),
        (["bench", "--expect", "gat"], "unknown value of --expect 'gat'; did you mean gate?"),
        (["record", "here", "there"], "'there' is no argument of `suite record`; see `suite record --help`"),
    ],
)
def test_a_slip_is_one_sentence_with_the_nearest_name(arguments, said, capsys):
    """Nothing is started for it."""
    assert 11 == main(arguments)
    assert f"suite: {said}\n" == capsys.readouterr().err


MANY_LINES = """
import sys
from suite.core.command_line import outlive_readers
outlive_readers()
for number in range(3000):
    print(number, "x" * 100, flush=number % 2)
print("done", file=sys.stderr)
"""


def test_a_run_goes_on_when_nobody_reads_it_any_more():
    """``suite bench | head -1``: its files and its exit code count, not its lines."""
    command = [sys.executable, "-c", MANY_LINES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("0 x")
        process.stdout.close()
        assert "done\n" == process.stderr.read()
    assert 0 == process.returncode
