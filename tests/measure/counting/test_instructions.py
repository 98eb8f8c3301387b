"""Instruction counts: what callgrind printed, without the allocator, and what differs between two counts."""

import platform
import shutil

import pytest

from suite.core.errors import UnavailableError
from suite.measure.counting import instructions
from suite.measure.counting.instructions import GENERATED, functions, largest_changes, read

PRINTED = """\
--------------------------------------------------------------------------------
Profile data file 'o.3' (creator: callgrind-3.19.0)
--------------------------------------------------------------------------------
1,660  PROGRAM TOTALS

--------------------------------------------------------------------------------
Ir      file:function
--------------------------------------------------------------------------------
1,000  ???:at::native::add_kernel(at::TensorIteratorBase&, c10::Scalar const&) [/venv/torch/lib/libtorch_cpu.so]
  200  ./build/Python/ceval.c:_PyEval_EvalFrameDefault'2 [/usr/lib/libpython3.11.so.1.0]
  100  ./build/Python/ceval.c:_PyEval_EvalFrameDefault [/usr/lib/libpython3.11.so.1.0]
   50  ???:0x00000000c363e000 [???]
   10  ???:0x00000000c372c000 [???]
   90  ./malloc/./malloc/malloc.c:_int_malloc [/usr/lib/libc.so.6]
   80  ./build/Objects/obmalloc.c:PyObject_Free [/usr/lib/libpython3.11.so.1.0]
   75  ./build/Objects/dictobject.c:_Py_dict_lookup [/usr/lib/libpython3.11.so.1.0]
   73  ???:_PyType_Lookup [/usr/bin/python3.11]
   70  ???:free [/usr/lib/libtcmalloc.so]
   60  ???:my::freedom(int) [/home/malloc/lib.so]
"""
COUNTED = {"at::native::add_kernel(at::TensorIteratorBase&, c10::Scalar const&)": 1000, "my::freedom(int)": 60}


def test_functions_are_named_without_library_folder_recursion_and_what_follows_addresses():
    """Code that was generated at run time has an address for a name, another one in each process."""
    assert COUNTED | {"_PyEval_EvalFrameDefault": 300, GENERATED: 60} == functions(PRINTED)


def test_the_largest_changes_come_first_without_arguments():
    """Ten at most, with their sign; functions that are the same are not told."""
    now = {"add(int, int)": 1500, "mul": 10, "same": 4}
    assert ["+1,500 add", "-90 gone", "+10 mul"] == largest_changes(now, {"gone": 90, "same": 4})
    assert 10 == len(largest_changes({str(number): number for number in range(1, 99)}, {}))


def test_anonymous_functions_keep_their_name():
    """Whose parenthesis is no list of arguments; a long name is cut."""
    assert "(anonymous namespace)::f" == instructions.shorten("(anonymous namespace)::f")
    assert instructions.LONGEST == len(instructions.shorten("x" * 200))


@pytest.mark.parametrize(
    ("totals", "value", "doubted"),
    [((1000, 1001), 1000, True), ((10**6, 10**6 + 200, 2 * 10**6), 10**6, False), ((10**6,), 10**6, False)],
)
def test_the_least_count_decides_and_the_second_least_has_to_repeat_it(monkeypatch, totals, value, doubted):
    """A cache that fills, or randomness: one count of its own kind is no figure."""
    printed = {str(number): f"{total}  a.c:f [lib]\n" for number, total in enumerate(totals)}
    monkeypatch.setattr(instructions, "_annotated", lambda dump: printed[str(dump)])
    found = read(list(printed))
    assert value == found.value
    assert doubted == ("does not repeat" in (found.doubt or ""))
    assert sorted(totals)[:2][-1] == pytest.approx(value * (1 + found.spread))


@pytest.mark.parametrize("printed", ["", "nothing here\n", "10  ./malloc/malloc.c:_int_malloc [libc]\n"])
def test_a_count_of_nothing_is_no_count(monkeypatch, printed):
    """Two of them would be the same, and the gate would pass."""
    monkeypatch.setattr(instructions, "_annotated", lambda _: printed)
    with pytest.raises(UnavailableError, match="a count of 0"):
        read(["one"])


def test_an_annotation_that_fails_is_told():
    """With its last line."""
    with pytest.raises(UnavailableError, match="instructions are not counted: false: it failed"):
        instructions._run(["false"])
    assert "" == instructions._run(["true"])


@pytest.mark.parametrize("tool", instructions.TOOLS)
def test_a_missing_tool_is_told_with_the_command_that_installs_it(monkeypatch, tool):
    """Once, before anything is built."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name == tool else f"/usr/bin/{name}")
    with pytest.raises(UnavailableError, match=f"{tool} is not installed: apt-get install valgrind gcc"):
        instructions.check_available("cpu")


def test_an_accelerators_instructions_are_not_counted():
    """Its kernels run elsewhere."""
    with pytest.raises(UnavailableError, match="cuda:0 is none"):
        instructions.check_available("cuda:0")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_without_valgrinds_header_the_package_is_named(tmp_path, monkeypatch):
    """As where valgrind was built without it."""
    monkeypatch.setattr(instructions, "REQUESTS", "#include <valgrind/not_there.h>\n")
    with pytest.raises(UnavailableError, match=r"cannot be compiled: .*not_there.h.*; apt-get install"):
        instructions.library(tmp_path)


def test_generated_code_is_held_to_avx2_on_processors_that_may_know_more():
    """Else TorchInductor generates code for the processor at hand; on another kind the name means nothing."""
    on_x86 = platform.machine() == "x86_64"
    assert on_x86 == ("x86-64-v3" == instructions.VARIABLES.get("TORCHINDUCTOR_CPP_MARCH"))
    assert "TORCHINDUCTOR_CPP_MARCH" not in instructions.CAPPED
