"""Every fenced block of the documentation is run, compared with what the program prints, or listed with a reason."""
# the expected value stands on the left

import ast
import re
import shlex
import tomllib
from functools import cache

import pytest
from doc_pages import BLOCKS, PAGES, ROOT, prose

from suite.cli.main import build_parser
from suite.core.errors import UsageError

RUN = {  # page, kind of block: the test that runs it or compares it with what the program prints
    ("README.md", "python own_model"): "test_readme.py",
    ("README.md", "console"): "test_readme.py",
    ("CONTRIBUTING.md", "python technique"): "test_examples.py",
    ("CONTRIBUTING.md", "python workload"): "test_examples.py",
    ("docs/advise.md", "csv"): "test_advise_page.py",
    ("docs/advise.md", "text"): "test_advise_page.py",
    ("docs/advise.md", "python bottleneck"): "test_advise_page.py",
    ("docs/ci.md", "yaml"): "test_ci_page.py",
    ("docs/curves.md", "python fit"): "test_curves_page.py",
    ("docs/curves.md", "python article"): "test_curves_page.py",
    ("docs/curves.md", "python inflection"): "test_curves_page.py",
    ("docs/curves.md", "python budget"): "test_curves_page.py",
    ("docs/distributed.md", "python ranks"): "test_distributed_page.py",
    ("docs/functions.md", "python"): "test_functions_page.py",
    ("docs/frames.md", "python"): "test_frames_page.py",
    ("docs/howto-bounds.md", "toml entry"): "test_howto_pages.py",
    ("docs/howto-bounds.md", "toml xfail"): "test_howto_pages.py",
    ("docs/plan.md", "console"): "test_plan_page.py",
    ("docs/plan.md", "python plan"): "test_plan_page.py",
    ("docs/plan.md", "toml prices"): "test_plan_page.py",
    ("docs/search.md", "python"): "test_search_page.py",
    ("docs/sweeps.md", "python"): "test_blocks.py",
    ("docs/sweeps.md", "toml"): "test_blocks.py",
    ("docs/techniques.md", "python finish"): "test_examples.py",
    ("docs/techniques.md", "python loss"): "test_examples.py",
    ("docs/techniques.md", "python flags"): "test_examples.py",
    ("docs/techniques.md", "python runtime"): "../measure/test_runtime_in_one_file.py",
    ("docs/workloads.md", "console"): "test_zoo_page.py",
    ("docs/workloads.md", "python"): "test_zoo_page.py",
    **{
        ("docs/tutorial.md", kind): "test_tutorial_page.py"
        for kind in ("sh step", "python network", "text output", "diff change", "console")
    },
    **{
        ("docs/workloads.md", f"python {name}"): "test_workloads_page.py"
        for name in ("checkpoint", "artefact", "regression", "text", "volumes", "language")
    },
}
PARSED = {"sh", "yaml", "toml"}  # commands are parsed as the program parses them, TOML as TOML
SHELL = ("suite ", "nox ", ".venv/bin/nox ")
NOT_RUN = {  # lines of shell that only parse, or not even that, each with the reason
    "python3 -m venv ~/tradeoffs": "likewise, in the tutorial",
    "python3 -m venv .venv": "a long install; `.ci/run` and every grader start with it",
    "pip install 'tradeoff-suite[all]'": "a long install; the extras are compared with pyproject.toml",
}
COMMANDS = [
    (block.page, line.strip().removeprefix("$ "))
    for block in BLOCKS
    for line in block.text.splitlines()
    if re.match(r"\s*(\$ )?(SUITE_DATA=\S+ )?(suite|nox|\.venv/bin/nox) ", line) and not block.kind.startswith("python")
]
COMMANDS += [
    (block.page, command)
    for block in BLOCKS
    if block.kind == "yaml"
    for command in re.findall(r"- run: ((?:suite|nox) [^\n]*)", block.text)
]
SPANS = sorted({(page, span) for page, text in PAGES.items() for span in re.findall(r"`(suite [^`]+)`", prose(text))})
SESSIONS = {
    node.name
    for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(by) for by in node.decorator_list)
}


def test_every_block_is_run_or_parsed():
    """A block that nothing reads would grow old in silence."""
    unread = [block for block in BLOCKS if (block.page, block.kind) not in RUN and block.kind not in PARSED]
    assert [] == [str(block) for block in unread]


@pytest.mark.parametrize(("page", "kind"), sorted(RUN))
def test_the_test_that_is_named_reads_the_page(page, kind):
    """And the block is still there."""
    assert (page, kind) in {(block.page, block.kind) for block in BLOCKS}
    text = (ROOT / "tests" / "docs" / RUN[page, kind]).read_text("utf-8")
    assert page.rpartition("/")[2] in text


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.kind == "sh"], ids=str)
def test_a_line_of_shell_is_a_command_that_parses_or_is_listed(block):
    """Everything else would be executed by a reader first."""
    for line in filter(None, (line.partition("#")[0].strip() for line in block.text.splitlines())):
        known = re.match(r"(SUITE_DATA=\S+ )?(suite|nox|\.venv/bin/nox) ", line)
        assert known or any(line.startswith(listed) for listed in NOT_RUN), line


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_of_a_block_parses(page, command):
    """With the parser of the program; sessions are those of the noxfile."""
    words = [word for word in shlex.split(command, comments=True) if not word.startswith("SUITE_DATA=")]
    assert page
    if words[0] == "suite":
        parse(words[1:])
        return
    assert "-s" == words[1]
    assert words[2] in SESSIONS
    if words[2].endswith("bench") and "--" in words:
        parse(["bench", *words[words.index("--") + 1 :]])


parser = cache(build_parser)


def parse(words):
    """The arguments; only those of bench may be pytest's, and all of `suite pytest`."""
    parsed, rest = parser().parse_known_args(words)
    if parsed.command == "pytest":
        return parsed
    assert [] == [word for word in rest if parsed.command != "bench" or word not in ("-k", "speed", "--quick")]
    return parsed


def test_a_command_that_does_not_exist_does_not_parse():
    """The test above can fail."""
    with pytest.raises(UsageError, match="unknown command 'benhc'"):
        parse(["benhc"])


@pytest.mark.parametrize(("page", "span"), SPANS)
def test_a_command_in_a_sentence_exists_with_its_options(page, span):
    """A sentence may leave out arguments, and never invents an option."""
    assert page
    _, command, *words = span.split()
    choices = next(action.choices for action in parser()._actions if action.dest == "command")
    assert command in choices
    named = [re.split(r"[=\]]", word.strip("[,"))[0] for word in words if word.startswith(("--", "[--"))]
    inner = next((a.choices for a in choices[command]._actions if isinstance(a.choices, dict)), {})
    parsers = [choices[command], *inner.values()]
    known = {option for parser in parsers for option in parser.options()} | {"--junitxml"}
    assert [] == [option for option in named if option not in known]


def test_every_session_has_a_line():
    """In the page on running the bench, and no other one has."""
    named = set(re.findall(r"nox -s (\w+)", PAGES["docs/running.md"]))
    assert named == SESSIONS


def test_every_table_of_toml_is_one():
    """TOML that a reader copies has to load."""
    for block in (block for block in BLOCKS if block.kind.split()[0:1] == ["toml"]):
        assert tomllib.loads(block.text), str(block)


def test_the_plot_of_a_sweep_runs(tmp_path, monkeypatch):
    """On a table with the columns that a run writes."""
    import matplotlib as mpl
    import pandas as pd

    mpl.use("Agg")
    (block,) = (block for block in BLOCKS if (block.page, block.kind) == ("docs/sweeps.md", "python"))
    folder = tmp_path / "reports" / "latest"
    folder.mkdir(parents=True)
    frame = pd.DataFrame({"magnitude_pruning.sparsity": [0.5, 0.8], "accuracy": [0.99, 0.98]})
    frame.to_csv(folder / "tradeoffs.csv")
    monkeypatch.chdir(tmp_path)
    exec(block.text, {"pandas": pd})  # noqa: S102  # our own page


def test_a_shape_of_the_page_is_one_that_a_file_may_hold(tmp_path):
    """As `suite lint` reads it."""
    from suite.gate.files.files import load_shapes

    (block,) = (block for block in BLOCKS if (block.page, block.kind) == ("docs/sweeps.md", "toml"))
    path = tmp_path / "any" / "digits_cnn.toml"
    path.parent.mkdir()
    path.write_text(f"schema = 1\n{block.text}", "utf-8")
    assert ["non-increasing"] == [shape.shape for shape in load_shapes(tmp_path)]
