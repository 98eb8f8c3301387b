"""An exception in one line that points into the user's code."""
# the expected value stands on the left

import json
import sys

import pytest

from suite.bench import explain as module
from suite.bench.explain import explain
from suite.core.errors import SuiteError
from suite.registry.settings import PACKAGE


def raised(function):
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whatever it raises
        function()
    return caught.value


def code_at(path, text, **names):
    """Functions of a source text as if it lay in the file ``path``."""
    scope = dict(names)
    exec(compile(text, str(path), "exec"), scope)  # noqa: S102  # frames of files that need not exist
    return scope


CALLS = "def call():\n    below()\n"
RAISES = "def call():\n    raise ValueError('no images left')\n"


def stack(*paths):
    """Raise in the last of some files, each called by the one before, and explain it."""
    below = code_at(paths[-1], RAISES)["call"]
    for path in reversed(paths[:-1]):
        below = code_at(path, CALLS, below=below)["call"]
    error = raised(below)
    error.__traceback__ = error.__traceback__.tb_next  # without this file's own frame, which is a user's too
    return explain(error)


INSTALLED = "/opt/env/lib/python3.11/site-packages/wheel/code.py"
STANDARD = json.__file__
TECHNIQUE, SUITE = PACKAGE / "catalog" / "techniques" / "static_int8.py", PACKAGE / "training" / "loop.py"


@pytest.mark.parametrize(
    ("expected", "paths"),
    [
        ("/home/me/nets.py:2", ["/home/me/nets.py"]),
        ("/home/me/nets.py:2", [SUITE, "/home/me/nets.py", INSTALLED]),
        ("/home/me/nets.py:2", [SUITE, "/home/me/nets.py", SUITE]),
        ("/home/me/nets.py:2", ["/home/me/nets.py", TECHNIQUE, SUITE]),
        ("/home/me/nets.py:2", ["/home/me/nets.py", STANDARD]),
        ("/home/me/nets.py:2", ["/home/me/nets.py", "<eval_with_key>.1"]),
        ("/home/me/other.py:2", ["/home/me/nets.py", "/home/me/other.py", "/usr/lib/python3/dist-packages/a.py"]),
        (f"{TECHNIQUE}:2", [SUITE, TECHNIQUE, SUITE, INSTALLED]),
        (f"{SUITE}:2", [SUITE, INSTALLED]),
        (f"{INSTALLED}:2", [INSTALLED]),
    ],
)
def test_the_place_is_the_last_frame_of_the_users_code(expected, paths):
    """Then a built-in technique's, then the suite's, then any."""
    assert f"ValueError: no images left [{expected}]" == stack(*paths)


def test_a_torch_that_is_built_in_place_is_not_the_users_code(monkeypatch, tmp_path):
    """Neither lies it in site-packages, nor is its code the user's."""
    torch = tmp_path / "torch"
    monkeypatch.setitem(sys.modules, "torch", type(sys)("torch"))
    sys.modules["torch"].__file__ = str(torch / "__init__.py")
    module._owner.cache_clear()
    assert "/home/me/nets.py:2]" in stack("/home/me/nets.py", torch / "nn" / "modules.py")
    module._owner.cache_clear()


def test_code_that_the_compiler_generated_is_not_the_users(monkeypatch, tmp_path):
    """It lies below the temporary folder or the one that a variable names."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "/home/me/nets.py:2]" in stack("/home/me/nets.py", tmp_path / "torchinductor_me" / "ab" / "cabc.py")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/scratch/inductor")
    assert "/home/me/nets.py:2]" in stack("/home/me/nets.py", "/scratch/inductor/ab/cabc.py")


def test_an_error_raised_from_the_users_points_at_the_users():
    """A library that wraps an error does not hide where it came from."""

    def wrap():
        try:
            code_at("/home/me/nets.py", RAISES)["call"]()
        except ValueError as error:
            raise RuntimeError("it failed") from error

    error = raised(wrap)
    error.__traceback__ = None
    error.__cause__.__traceback__ = error.__cause__.__traceback__.tb_next
    assert "RuntimeError: it failed [/home/me/nets.py:2]" == explain(error)


def test_only_the_first_line_of_a_message_is_kept():
    """The report has one line for each cell."""
    assert "ValueError: first" == explain(ValueError("first\nsecond"))


def test_errors_of_the_suite_speak_for_themselves():
    """They say what to do, and their place is of no interest."""

    def fail():
        raise SuiteError("write it so")

    assert "write it so" == explain(raised(fail))


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory"), RuntimeError("can't allocate memory: 2 TiB")]
)
def test_running_out_of_memory_says_what_helps(error):
    """Whoever ran out of it."""
    assert explain(error).startswith("out of memory (")
    assert explain(error).endswith("use a smaller workload")


def test_an_error_without_a_place_or_a_message_is_explained_all_the_same():
    """Nothing is made up."""
    assert "KeyError:" == explain(KeyError()).strip()
