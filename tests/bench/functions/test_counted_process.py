"""The process under valgrind that counts one function."""
# the expected value stands on the left

import json

from suite.bench.functions import counted_process


def test_the_files_of_a_functions_counts_are_printed(tmp_path, monkeypatch, capsys):
    """As the last line, whatever the function prints."""
    path = tmp_path / "loud.py"
    path.write_text("def f():\n    print('loud')\n", "utf-8")

    class Counter:
        def __init__(self, *given):
            self.given = given

        def counted(self, call, reset):
            call()
            reset()
            return list(self.given)

    monkeypatch.setattr(counted_process, "Callgrind", Counter)
    counted_process.main("l.so", "out", f"{path}:f")
    loud, files = capsys.readouterr().out.splitlines()
    assert ("loud", ["l.so", "out"]) == (loud, json.loads(files))
