"""docs/tutorial.md is followed literally, in an empty folder, by a reader who knows nothing else."""
# the expected value stands on the left

import os
import re
import subprocess
import time
from types import SimpleNamespace

import pytest
from doc_pages import BLOCKS

STEPS = [block for block in BLOCKS if block.page == "docs/tutorial.md" and block.kind != "sh"]
LONGEST = 1800  # seconds of one step
GIT = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Reader"), ("EMAIL", "reader@example.org"))
} | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}  # that of who tests might sign commits
BY_RELEASE = ("allocated_bytes",)  # metrics whose values torch's release decides, whatever the machine


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
        """The same headline and rows; another machine has other figures, and cannot run some of the techniques.

        Those stand below the table with a reason.
        """
        headline, head, title, *rows = text.splitlines()
        printed = self.last.stdout
        assert f"\n{headline.partition(': ')[0]}: " in printed
        for table in (head, printed):
            assert any({"technique", "vs", "verdict"} <= set(line.split()) for line in table.splitlines())
        assert f"\n{title}\n" in printed
        workload = title.partition(" on ")[0]
        assert [] == [row for row in rows if not re.search(f"^(  |{workload} ){told(row)}", printed, re.MULTILINE)]

    def console(self, text):
        """Lines of the output as they are, spaces and what torch decides apart; after ``$ echo $?`` the exit code."""
        for line in text.splitlines():
            if line.startswith("$ echo"):
                self.last.stdout = f"{self.last.returncode}\n"
            elif line.startswith("$ "):
                self.run(line.removeprefix("$ "))
            elif line != "...":
                assert steady(line) in map(steady, self.last.stdout.splitlines()), self.last.stdout[-4000:]

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


def told(row):
    """A pattern for the technique of a row; of a name that the table cut, its beginning alone is known."""
    name, rest = re.match(r"(\w+)(.*)", row.strip()).groups()
    return name + (r"\w*[ .(]" if rest.startswith("..") else r"[ (]")


def steady(line):
    """The words of a line, without digits where another release of torch has others."""
    words = line.split()
    return [re.sub(r"\d+", "#", word) for word in words] if set(BY_RELEASE) & set(words) else words


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


TABLE = """\
net on cpu: fast is fastest. ...
  technique                     accuracy  vs control  verdict
net on cpu
  baseline                       91.90 %           -  unverified
  long_na..0.8,epochs=3)         90.00 %       -1.80  unverified
  more(epochs=5)                 91.90 %       -0.10  unverified
  compiled                       91.90 %       -0.10  unverified
"""
SEEN = f"collected 4 items\n{TABLE}".replace(": fast is fastest. ...", ": nothing is faster.").replace("91.90", "88.15")
COMPILED = next(line for line in SEEN.splitlines(keepends=True) if "compiled" in line)


def looking_at(printed, code=0):
    """A reader whose last command printed this."""
    found = Reader(None, {})
    found.last = SimpleNamespace(stdout=printed, returncode=code)
    return found


@pytest.mark.parametrize(
    "printed",
    [
        SEEN,
        SEEN.replace(COMPILED, "net compiled cpu: no compiler\n"),
        SEEN.replace("  long_na..0.8,epochs=3)", "  long_nam..8,epochs=3)"),
        SEEN.replace("  more(epochs=5)", "  more(epochs=9)"),
    ],
)
def test_a_table_may_have_other_figures_and_techniques_that_cannot_run(printed):
    """The latter with their reason."""
    looking_at(printed).compare(TABLE)


@pytest.mark.parametrize(
    "printed",
    [
        SEEN.replace(COMPILED, ""),
        SEEN.replace("  compiled ", "  compiled_training "),
        SEEN.replace(COMPILED, "net compiled_training cpu: no compiler\n"),
        SEEN.replace("  long_na..", "  other_na.."),
        SEEN.replace("net on cpu:", "net on cuda:"),
        SEEN.replace("  verdict", ""),
    ],
)
def test_a_table_without_one_of_the_rows_is_another(printed):
    """A name that merely begins alike is none of them."""
    with pytest.raises(AssertionError):
        looking_at(printed).compare(TABLE)


COUNTED = (
    "net-baseline-cpu  parameters  10820 / 10820  exact  same\nnet-baseline-cpu  allocated_bytes  9 / 7  exact  worse\n"
)


@pytest.mark.parametrize(
    ("same", "page"),
    [
        (True, COUNTED),
        (True, "net-baseline-cpu allocated_bytes 2884608 / 1967104 exact worse"),
        (True, "...\nnet-baseline-cpu   parameters 10820 / 10820 exact same\n$ echo $?\n1"),
        (False, "net-baseline-cpu allocated_bytes 2884608 / 1967104 exact same"),
        (False, "net-baseline-cpu parameters 10821 / 10820 exact same"),
        (False, "$ echo $?\n0"),
    ],
)
def test_lines_of_a_console_are_compared_without_what_torch_decides(same, page):
    """Everything else is exact."""
    found = looking_at(COUNTED, code=1)
    if same:
        found.console(page)
        return
    with pytest.raises(AssertionError):
        found.console(page)


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
