"""What can be missing, and the words for it."""

from __future__ import annotations

import platform
import sys
from types import SimpleNamespace

import pytest

from suite.bench import requirements
from suite.core.errors import UsageError
from suite.core.machine import needs


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """The only compiler on the search path: the one that TorchInductor looks for here."""
    name = needs.compilers()[0] + (".exe" if sys.platform == "win32" else "")
    path = tmp_path / name
    path.write_text("", "utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    return str(path)


def test_a_compiler_is_found_by_its_usual_name(compiler):
    """The name that TorchInductor will call, and no other."""
    assert compiler == needs.has_compiler()
    assert needs.missing_need("compiler", "cpu") is None


def test_the_users_choice_of_compiler_counts_alone(compiler, monkeypatch):
    """torch.compile uses $CXX or fails; a wrapper's arguments are no part of the name."""
    monkeypatch.setenv("CXX", f"{needs.compilers()[0]} -O2")
    assert compiler == needs.has_compiler()
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert needs.has_compiler() is None
    assert "CXX=no-such-compiler is not there" in needs.missing_need("compiler", "cpu")


def test_without_a_compiler_the_reason_names_the_commands_that_install_one(monkeypatch, tmp_path):
    """For Debian, Fedora and macOS."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    reason = needs.missing_need("compiler", "cpu")
    for command in ("apt-get install g++", "dnf install gcc-c++", "xcode-select --install"):
        assert command in reason


def test_compiling_for_a_gpu_needs_triton(monkeypatch):
    """Not a C++ compiler's business."""
    monkeypatch.setattr(needs.importlib.util, "find_spec", lambda _: None)
    assert "triton" in needs.missing_need("compiler", "cuda:0")


def test_bf16_works_on_every_cpu_and_on_gpus_that_have_it(torch):
    """CPUs emulate it."""
    torch(kind="cuda")
    assert needs.missing_need("bf16", "cpu") is None
    assert needs.missing_need("bf16", "cuda") == "cuda has no bf16 (cuda-sm90)"


def test_fp16_on_a_cpu_is_asked_of_onednn(torch):
    """Absent support and an absent oneDNN are both a reason; accelerators have fp16."""
    made = torch(kind="cuda")
    assert "no fp16" in needs.missing_need("fp16", "cpu")  # the look-up itself is not there
    made.ops = SimpleNamespace(mkldnn=SimpleNamespace(_is_mkldnn_fp16_supported=lambda: True))
    assert needs.missing_need("fp16", "cpu") is None
    assert needs.missing_need("fp16", "cuda") is None


def test_int8_kernels_are_those_of_x86_cpus(monkeypatch):
    """The quantizer's kernels exist nowhere else."""
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    assert needs.missing_need("int8_cpu", "cpu") is None
    assert "serves x86 CPUs, not cuda" in needs.missing_need("int8_cpu", "cuda")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "this one is aarch64" in needs.missing_need("int8_cpu", "cpu")


def test_an_unknown_need_is_refused_with_the_nearest():
    """A typing error in a declaration is not 'available'."""
    with pytest.raises(UsageError, match="unknown need 'compilr'; did you mean compiler"):
        needs.missing_need("compilr", "cpu")


@pytest.mark.parametrize(
    "need", ["training", "width", "images", "float_inputs", "classes", "validation", "attention", "fused"]
)
def test_what_a_workload_can_lack_is_no_need_of_a_device(need):
    """It is known, but asked of the workload (`suite.bench.requirements`): no device has or lacks it."""
    assert need in requirements.OF_WORKLOAD
    assert need not in needs.NEEDS


def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch):
    """The reason is the command that mends it."""
    monkeypatch.setattr(needs.importlib.util, "find_spec", lambda _: None)
    assert "pip install 'tradeoff-suite[quantization]'" in needs.missing_need("torchao", "cpu")
    assert "pip install 'tradeoff-suite[pruning]'" in needs.missing_need("torch_pruning", "cpu")


@pytest.mark.parametrize(("arch", "lacks"), [("gfx90a:sramecc+", True), ("gfx942:sramecc+:xnack-", False)])
def test_float8_on_rocm_needs_a_card_that_has_it(torch, arch, lacks):
    """MI200 has none; MI300 has."""
    torch(kind="cuda", hip="6.4", arch=arch)
    assert lacks == (needs.missing_need("float8", "cuda") is not None)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with a C++ compiler and, so far, no CUDA toolkit anywhere."""
    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(needs, "has_compiler", lambda: "/usr/bin/g++")
    monkeypatch.setattr(needs.shutil, "which", lambda _: None)
    monkeypatch.setattr(needs, "CUDA", tmp_path / "usual")
    monkeypatch.setattr(needs.importlib.util, "find_spec", lambda _: None)
    return tmp_path


def headers(home):
    (home / "include").mkdir(parents=True)
    (home / "include" / "cuda.h").touch()


@pytest.mark.usefixtures("bare")
def test_a_package_for_a_gpu_is_built_with_a_compiler_and_cudas_headers(torch, monkeypatch):
    """Both are named where they lack; elsewhere nothing of the kind is needed."""
    torch(kind="cuda")
    assert "cuda.h" in needs.missing_need("gpu_toolkit", "cuda")
    assert needs.missing_need("gpu_toolkit", "cpu") is None
    monkeypatch.setattr(needs, "has_compiler", lambda: None)
    assert "needs a C++ compiler for the host's part" in needs.missing_need("gpu_toolkit", "cuda")
    monkeypatch.setattr(needs, "has_compiler", lambda: "/usr/bin/g++")
    torch(kind="cuda", hip="6.4")
    assert needs.missing_need("gpu_toolkit", "cuda") is None


@pytest.mark.parametrize("place", ["CUDA_HOME", "usual", "nvcc", "wheels"])
def test_cudas_headers_are_found_where_torch_looks_for_them(torch, bare, monkeypatch, place):
    """The variable, the usual folder, beside nvcc, and among the packages that torch brings."""
    torch(kind="cuda")
    headers(bare / place)
    if place == "CUDA_HOME":
        monkeypatch.setenv("CUDA_HOME", str(bare / place))
    if place == "nvcc":
        monkeypatch.setattr(needs.shutil, "which", lambda _: str(bare / place / "bin" / "nvcc"))
    if place == "wheels":
        spec = SimpleNamespace(submodule_search_locations=[str(bare)])
        monkeypatch.setattr(needs.importlib.util, "find_spec", lambda _: spec)
    assert needs.missing_need("gpu_toolkit", "cuda") is None
