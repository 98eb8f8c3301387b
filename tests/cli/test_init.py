"""`suite init`: a repository that can gate in one command, and nothing lost in it."""
# the expected value stands on the left

import ast
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.cli.init import IGNORED, SETTINGS, WORKFLOW, WORKLOAD, init
from suite.cli.main import main
from suite.core.errors import SetupError
from suite.registry.settings import user_modules

LOAD = ["benchmarks/my_network.py"]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def load(folder):
    return tomllib.loads((folder / SETTINGS).read_text("utf-8"))["tool"]["tradeoff-suite"]["load"]


def test_an_empty_folder_gets_a_workload_settings_and_a_workflow(tmp_path):
    """Each file has its line, and the last one says what to do next."""
    lines = list(init(tmp_path))
    assert {WORKLOAD, WORKFLOW, Path(SETTINGS), Path(IGNORED)} == set(contents(tmp_path))
    assert ["written", "written", "written", "written", "next"] == [line.partition(":")[0] for line in lines]
    assert "suite bench --workload my_network --expect=record" in lines[-1]


def test_the_settings_load_the_workload_that_was_written(tmp_path):
    """The path in the settings is the file's."""
    list(init(tmp_path))
    assert LOAD == load(tmp_path)
    assert [str(tmp_path / WORKLOAD)] == user_modules(tmp_path)


def test_the_workload_is_python_and_declares_itself_with_public_names(tmp_path):
    """It is the first file that a newcomer reads."""
    list(init(tmp_path))
    text = (tmp_path / WORKLOAD).read_text("utf-8")
    tree = ast.parse(text)
    compile(text, str(WORKLOAD), "exec")
    (imports,) = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "suite"]
    expected = {"Recipe", "Split", "Splits", "classification", "technique", "workload"}
    assert expected == {alias.name for alias in imports.names}
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert ["workload(scores=classification())"] == [ast.unparse(d) for d in functions["my_network"].decorator_list]
    assert "Recipe(data=lambda: splits(seed), model=MyNetwork)" in ast.unparse(functions["my_network"])


def test_the_splits_of_five_seeds_test_every_image_once(tmp_path):
    """The template is right about what it says; nothing of it is tested on what it was trained on."""
    list(init(tmp_path))
    tree = ast.parse((tmp_path / WORKLOAD).read_text("utf-8"))
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "splits"]
    from suite import Split, Splits

    scope = {
        "Split": Split,
        "Splits": Splits,
        "torch": pytest.importorskip("torch"),
        "lru_cache": lambda **_: lambda f: f,
    }
    exec(compile(ast.Module(made, []), "splits", "exec"), scope)  # noqa: S102  # a part of the template
    found = [scope["splits"](seed) for seed in range(5)]
    assert [1797] * 5 == [len(one.train) + len(one.validation) + len(one.test) for one in found]
    assert 1797 == sum(len(one.test) for one in found)
    images = {tuple(image.flatten().tolist()) for one in found for image in one.test.inputs}
    assert images == {
        tuple(i.flatten().tolist()) for s in found[:1] for p in (s.train, s.validation, s.test) for i in p.inputs
    }


def test_the_workflow_gates_pull_requests_on_what_any_machine_can_tell(tmp_path):
    """Shared runners are no place for timings, and figures without expectations must not pass for gated."""
    list(init(tmp_path))
    text = (tmp_path / WORKFLOW).read_text("utf-8")
    assert "\non: pull_request\n" in text
    command = " ".join(text.partition("run: >-")[2].partition("- name")[0].split())
    assert (
        "suite bench --device cpu --workload my_network --gate-tier exact --gate-tier portable --unverified fail"
        == command
    )


def test_the_workflow_compares_a_pull_request_with_its_base_where_that_has_the_network(tmp_path):
    """The one that brings the network has nothing to be compared with."""
    list(init(tmp_path))
    job = (tmp_path / WORKFLOW).read_text("utf-8").partition("\n  compare:\n")[2]
    assert "fetch-depth: 0" in job
    assert "BASE: origin/${{ github.base_ref }}\n" in job
    before, command, after = (line.strip() for line in job.partition("run: |\n          if ")[2].splitlines()[:3])
    assert f'git cat-file -e "$BASE:{WORKLOAD.as_posix()}"; then' == before
    assert 'suite compare "$BASE" --device cpu --workload my_network --count --time --inconclusive=fail' == command
    assert "else" == after


def test_a_second_time_nothing_changes_and_all_is_said_to_be_left_alone(tmp_path):
    """Running it twice is no harm."""
    list(init(tmp_path))
    before = contents(tmp_path)
    lines = list(init(tmp_path))
    assert before == contents(tmp_path)
    assert ["left alone"] * 4 == [line.partition(":")[0] for line in lines[:-1]]


def test_files_that_are_there_stay_as_they_are(tmp_path):
    """Somebody's own network is not replaced by digits."""
    (tmp_path / WORKLOAD).parent.mkdir()
    (tmp_path / WORKLOAD).write_text("mine\n", "utf-8")
    lines = list(init(tmp_path))
    assert "mine\n" == (tmp_path / WORKLOAD).read_text("utf-8")
    assert f"left alone: {tmp_path / WORKLOAD} exists already" in lines


@pytest.mark.parametrize(
    "before",
    [
        "# a comment\n[project]\nname = 'x'  # kept\n",
        "[tool.ruff]\nline-length = 99\n\n[project]\nname = 'x'\n\n[tool.mypy]\nstrict = true\n",
        "[project]\r\nname = 'x'\r\n",
        "[project]\nname = 'x'",
        "tool.ruff.line-length = 99\n",
    ],
)
def test_the_table_is_added_below_what_pyproject_holds(tmp_path, before):
    """Comments, order and line ends stay, byte for byte."""
    (tmp_path / SETTINGS).write_bytes(before.encode())
    lines = list(init(tmp_path))
    after = (tmp_path / SETTINGS).read_bytes().decode()
    assert after.startswith(before)
    assert LOAD == load(tmp_path)
    assert ("\r\n" in before) == ("\r\n" in after)
    assert after.count("\n") == after.count("\r\n") or "\r\n" not in before
    assert f"added: [tool.tradeoff-suite] in {tmp_path / SETTINGS}" in lines


names = st.text(alphabet="abcdefg", min_size=1, max_size=5)


@given(tables=st.dictionaries(names, st.integers(0, 9), max_size=4), order=st.booleans())
def test_whatever_the_settings_are_they_mean_the_same_afterwards(tmp_path_factory, tables, order):
    """One table more, nothing else."""
    folder = tmp_path_factory.mktemp("x")
    lines = [f"[tool.{name}]\nvalue = {value}\n" for name, value in tables.items()]
    text = "".join([*lines, "[project]\n"] if order else ["[project]\n", *lines])
    (folder / SETTINGS).write_text(text, "utf-8")
    list(init(folder))
    found = tomllib.loads((folder / SETTINGS).read_text("utf-8"))
    assert LOAD == found["tool"].pop("tradeoff-suite")["load"]
    assert {"project": {}, "tool": {name: {"value": value} for name, value in tables.items()}} == found


def test_settings_that_load_something_else_are_left_alone_with_a_hint(tmp_path):
    """Only a person knows whether the list should grow."""
    text = '[tool.tradeoff-suite]\nload = ["other"]\n'
    (tmp_path / SETTINGS).write_text(text, "utf-8")
    lines = list(init(tmp_path))
    assert text == (tmp_path / SETTINGS).read_text("utf-8")
    assert any(line.endswith('has [tool.tradeoff-suite]; add "benchmarks/my_network.py" to its load') for line in lines)


@pytest.mark.parametrize("text", ["[tool\n", "tool = 1\n", "tool = { ruff = 1 }\n"])
def test_settings_that_cannot_take_a_table_are_an_error_that_names_the_file(tmp_path, text):
    """And stay as they are; nothing else is written."""
    (tmp_path / SETTINGS).write_text(text, "utf-8")
    with pytest.raises(SetupError, match=r"pyproject\.toml: "):
        list(init(tmp_path))
    assert {SETTINGS: text.encode()} == {str(path): content for path, content in contents(tmp_path).items()}


def test_a_folder_inside_a_repository_is_told_where_ci_looks(tmp_path):
    """GitHub reads workflows of the root alone."""
    (tmp_path / ".git").mkdir()
    assert not any(line.startswith("note:") for line in init(tmp_path))
    assert any(str(tmp_path) in line for line in init(tmp_path / "inner") if line.startswith("note:"))


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path):
    """One sentence with the path, as for any folder that cannot be written."""
    (tmp_path / "benchmarks").write_text("", "utf-8")
    with pytest.raises(SetupError, match=r"cannot write .*benchmarks"):
        list(init(tmp_path))


def test_the_command_writes_into_the_folder_it_is_given(tmp_path, capsys):
    """And says what it did."""
    assert 0 == main(["init", str(tmp_path)])
    assert f"written: {tmp_path / WORKLOAD}" in capsys.readouterr().out


def test_results_are_left_out_of_git_once(tmp_path):
    """What was ignored before stays; a second time adds nothing."""
    (tmp_path / IGNORED).write_text("*.pyc", "utf-8")
    list(init(tmp_path))
    assert "*.pyc\n/reports/\n" == (tmp_path / IGNORED).read_text("utf-8")
    assert any("left alone" in line and IGNORED in line for line in init(tmp_path))
    assert "*.pyc\n/reports/\n" == (tmp_path / IGNORED).read_text("utf-8")


@pytest.mark.parametrize("line", ["reports", "reports/", "/reports", "/reports/*"])
def test_a_folder_that_is_ignored_in_other_words_is_not_ignored_twice(tmp_path, line):
    (tmp_path / IGNORED).write_text(f"{line}\n", "utf-8")
    list(init(tmp_path))
    assert f"{line}\n__pycache__/\n" == (tmp_path / IGNORED).read_text("utf-8")
