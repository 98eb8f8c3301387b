"""docs/tutorial.md is followed literally, in an empty folder, by a reader who knows nothing else."""
# the expected value stands on the left

import re
import subprocess
import time

import pytest
from doc_pages import BLOCKS

STEPS = [block for block in BLOCKS if block.page == "docs/tutorial.md" and block.kind != "sh"]
LONGEST = 1800  # seconds of one step
GIT = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Reader"), ("EMAIL", "reader@example.org"))
}


class Reader:
    """Somebody in an empty folder who does what each block says, and looks at what it shows."""

    def __init__(self, folder, environment):
        self.folder, self.environment, self.last = folder, environment, None

    def follow(self, block):
        kind = block.kind.partition(" ")[0]
        {"sh": self.shell, "python": self.write, "diff": self.apply, "text": self.compare, "console": self.console}[
            kind
        ](block.text)

    def shell(self, text):
        assert 0 == self.run(f"set -e\n{text}").returncode, self.last.stdout[-3000:] + self.last.stderr[-2000:]

    def write(self, text):
        """The first line names the file."""
        path = self.folder / text.splitlines()[0].removeprefix("# ")
        assert path.is_file()
        path.write_text(text, "utf-8")

    def apply(self, text):
        assert 0 == self.run("git apply", stdin=text).returncode, self.last.stderr

    def compare(self, text):
        """The same headline and rows; another machine has other figures, and other techniques that it cannot run."""
        headline, head, title, *rows = text.splitlines()
        printed = self.last.stdout
        assert f"\n{headline.partition(': ')[0]}: " in printed
        assert {"technique", "vs", "verdict"} <= set(head.split())
        assert f"\n{title}\n" in printed
        assert [] == [row for row in rows if f"\n  {re.split('[ .(]', row.strip())[0]}" not in printed]

    def console(self, text):
        """Lines of the output as they are, spaces apart; after ``$ echo $?`` the exit code."""
        for line in text.splitlines():
            if line.startswith("$ echo"):
                self.last.stdout = f"{self.last.returncode}\n"
            elif line.startswith("$ "):
                self.run(line.removeprefix("$ "))
            elif line != "...":
                assert line.split() in [one.split() for one in self.last.stdout.splitlines()], self.last.stdout[-4000:]

    def run(self, command, stdin=None):
        self.last = subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        return self.last


@pytest.fixture
def reader(tmp_path, environment, interpreter):
    """With ``suite`` on the path, as after the installation."""
    command = tmp_path / "bin" / "suite"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{interpreter}" -P -m suite "$@"\n', "utf-8")
    command.chmod(0o755)
    folder = tmp_path / "empty"
    folder.mkdir()
    path = f"{command.parent}:{environment['PATH']}"
    return Reader(folder, {**environment, **GIT, "PATH": path, "COLUMNS": "100"})


def test_the_installation_is_all_that_is_not_followed():
    """Blocks of plain `sh` are the only ones left out, and there is one of them."""
    (install,) = [one.text for one in BLOCKS if one.page == "docs/tutorial.md" and one.kind == "sh"]
    assert ["python3 -m venv", "pip install"] == [
        re.match(r"python3 -m venv|pip install", one)[0] for one in install.splitlines()
    ]


@pytest.mark.tutorial
@pytest.mark.system
@pytest.mark.timeout(3600)
def test_a_reader_who_follows_the_page_ends_with_a_gate(reader):
    """Every block in its order; the page of the first run is there to be opened. How long each took is printed."""
    waited = {}
    for block in STEPS:
        start = time.monotonic()
        reader.follow(block)
        waited[str(block)] = round(time.monotonic() - start)
        if block.kind == "text output":
            assert (reader.folder / "reports" / "latest" / "index.html").is_file()
    print(*waited.items(), f"together {sum(waited.values())} s", sep="\n")  # noqa: T201  # shown by `pytest -rP`
