"""Machine keys and families from what operating systems say, and devices."""

# the expected value stands on the left

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import suite
from suite.core.errors import SetupError, UsageError
from suite.core.machine import hardware
from suite.core.machine.hardware import Processor, cpu_family, cpu_key, parse_cpuinfo, parse_sysctl, slug
from suite.core.records import Where

AVX512 = "avx2 avx512f avx512bw avx512dq avx512vl"

EPYC = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
stepping\t: 1
cpu MHz\t\t: 2445.432
flags\t\t: fpu sse sse2 avx avx2 fma

processor\t: 1
model name\t: Another
flags\t\t: fpu
"""

NEOVERSE = """processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd sve bf16 i8mm
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd40
"""


# -- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brand", "expected"),
    [
        ("AMD EPYC 9B14", "amd-epyc-9b14"),
        ("AMD EPYC 7B13 64-Core Processor", "amd-epyc-7b13"),
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "intel-xeon-platinum-8259cl"),
        ("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", "intel-core-i7-9750h"),
        ("AMD Ryzen Threadripper 1950X Sixteen-Core Processor", "amd-ryzen-threadripper-1950x"),
        ("Intel(R) Xeon(R) CPU 2.20 GHz", "intel-xeon"),
        ("Apple M2 Pro", "apple-m2-pro"),
        ("NVIDIA H200", "nvidia-h200"),
        ("  ", "unknown"),
    ],
)
def test_a_slug_keeps_the_model_and_drops_fillers_and_clock_rates(brand, expected):
    """What differs between boots or says nothing is not part of a key."""
    assert expected == slug(brand)


@given(brand=st.text())
def test_a_slug_is_safe_as_a_folder_name_and_stable(brand):
    """Any brand gives lower-case words and dashes; a slug of a slug is itself where no filler stands in it."""
    made = slug(brand)
    assert made
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not made.startswith("-")
    assert not made.endswith("-")


def test_the_first_processor_of_cpuinfo_counts():
    """Brand, CPUID's family and model, and the flags."""
    expected = Processor(
        brand="AMD EPYC", flags=frozenset({"fpu", "sse", "sse2", "avx", "avx2", "fma"}), family="25", model="1"
    )
    assert expected == parse_cpuinfo(EPYC)


def test_a_model_hidden_by_the_hypervisor_is_told_by_cpuid():
    """'AMD EPYC' alone would be every generation at once."""
    assert cpu_key(parse_cpuinfo(EPYC), "x86_64", 2) == "cpu-x86_64-amd-epyc-f25m1-2c"


def test_a_brand_with_a_model_needs_no_cpuid():
    """The model's number says it all."""
    cpu = Processor(brand="AMD EPYC 9B14", family="25", model="17")
    assert cpu_key(cpu, "x86_64", 2) == "cpu-x86_64-amd-epyc-9b14-2c"


def test_an_arm_core_is_named_by_implementer_and_part():
    """Linux tells no brand on ARM."""
    cpu = parse_cpuinfo(NEOVERSE)
    assert cpu_key(cpu, "aarch64", 64) == "cpu-aarch64-implementer-41-part-d40-64c"
    assert cpu_family(cpu.flags, "aarch64") == "cpu-aarch64-sve"


def test_an_empty_cpuinfo_still_gives_a_key():
    """Sandboxes may hide everything."""
    assert cpu_key(parse_cpuinfo(""), "riscv64", 1) == "cpu-riscv64-implementer-unknown-part-unknown-1c"


def test_macos_names_are_turned_into_linux_names():
    """One table of families serves both systems."""
    cpu = parse_sysctl(
        "machdep.cpu.brand_string: Intel(R) Xeon(R) W-2140B CPU @ 3.20GHz\n"
        "machdep.cpu.features: FPU SSE AVX1.0 FMA\n"
        "machdep.cpu.leaf7_features: AVX2 AVX512F AVX512BW AVX512DQ AVX512VL AVX512VNNI\n"
    )
    assert cpu_family(cpu.flags, "x86_64") == "cpu-x86_64-avx512_vnni"
    assert cpu_key(cpu, "x86_64", 16) == "cpu-x86_64-intel-xeon-w-2140b-16c"


def test_apple_silicon_with_bf16():
    """Apple's optional features are counted, not listed."""
    cpu = parse_sysctl("machdep.cpu.brand_string: Apple M2\nhw.optional.arm.FEAT_BF16: 1\n")
    assert ("cpu-aarch64-apple-m2-8c", "cpu-aarch64-bf16") == (
        cpu_key(cpu, "aarch64", 8),
        cpu_family(cpu.flags, "aarch64"),
    )


@pytest.mark.parametrize(
    ("arch", "flags", "expected"),
    [
        ("x86_64", "sse2", "cpu-x86_64"),
        ("x86_64", "sse2 avx2", "cpu-x86_64-avx2"),
        ("x86_64", "avx2 avx512f", "cpu-x86_64-avx2"),
        ("x86_64", "avx2 avx_vnni", "cpu-x86_64-avx_vnni"),
        ("x86_64", f"{AVX512} avx_vnni", "cpu-x86_64-avx512"),
        ("x86_64", AVX512, "cpu-x86_64-avx512"),
        ("x86_64", f"{AVX512} avx512_vnni", "cpu-x86_64-avx512_vnni"),
        ("x86_64", f"{AVX512} avx512_vnni avx512_bf16", "cpu-x86_64-avx512_bf16"),
        ("x86_64", f"{AVX512} avx512_vnni avx512_bf16 amx_tile amx_int8", "cpu-x86_64-amx"),
        ("x86_64", "avx2 avx512_bf16", "cpu-x86_64-avx2"),
        ("aarch64", "asimd", "cpu-aarch64"),
        ("aarch64", "asimd bf16", "cpu-aarch64-bf16"),
        ("aarch64", "asimd bf16 sve", "cpu-aarch64-sve"),
        ("riscv64", "v", "cpu-riscv64"),
    ],
)
def test_the_family_is_the_most_capable_set_of_instructions(arch, flags, expected):
    """AVX-512 needs its four parts; everything above it needs AVX-512."""
    assert expected == cpu_family(frozenset(flags.split()), arch)


@pytest.mark.parametrize(("name", "expected"), [("AMD64", "x86_64"), ("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_architectures_have_one_spelling(name, expected):
    """Windows, macOS and Linux name the same thing differently."""
    assert expected == hardware.architecture(name)


def test_this_machine_has_a_key_without_its_host_name_and_whatever_the_affinity():
    """The real thing; a process on one core of many is still on the same machine."""
    key = hardware.machine_key("cpu")
    assert key.startswith(f"cpu-{hardware.architecture()}-")
    assert key.endswith(f"-{os.cpu_count()}c")
    assert hardware.family("cpu").startswith(f"cpu-{hardware.architecture()}")


# -- accelerators ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "options", "key", "family"),
    [
        ("cuda", {}, "cuda-sm90-nvidia-h200", "cuda-sm90"),
        ("cuda:1", {"name": "NVIDIA GeForce RTX 4090"}, "cuda-sm90-nvidia-geforce-rtx-4090", "cuda-sm90"),
        ("cuda", {"hip": "6.4", "name": "AMD Instinct MI300X"}, "rocm-gfx942-amd-instinct-mi300x", "rocm-gfx942"),
        ("xpu", {}, "xpu-intel-data-center-gpu-max-1100", "xpu"),
    ],
)
def test_accelerators_are_named_by_architecture_and_model(torch, device, options, key, family):
    """The family is what kernels are compiled for; the number of the device plays no part."""
    torch(**options)
    assert (key, family) == (hardware.machine_key(device), hardware.family(device))


def test_apples_gpu_is_named_by_its_processor(torch, monkeypatch):
    """mps has no device name of its own."""
    torch(kind="mps")
    monkeypatch.setattr(hardware, "processor", lambda: Processor(brand="Apple M2 Pro"))
    assert ("mps-apple-m2-pro", "mps") == (hardware.machine_key("mps"), hardware.family("mps"))


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("auto", "cuda", "cuda"),
        ("auto", "mps", "mps"),
        ("auto", None, "cpu"),
        ("gpu", "xpu", "xpu"),
        ("cuda", "cuda", "cuda"),
        ("cuda:1", "cuda", "cuda:1"),
        ("hpu", "hpu", "hpu"),
    ],
)
def test_a_text_is_resolved_to_the_device_that_is_there(torch, text, kind, expected):
    """auto and gpu find the accelerator; one that torch names itself is known too."""
    torch(kind=kind, count=2)
    assert expected == hardware.resolve_device(text)


def test_cpu_is_resolved_without_torch(monkeypatch):
    """The common case costs no import."""
    monkeypatch.setitem(sys.modules, "torch", None)
    assert hardware.resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("gpu", None, "finds no accelerator here; use --device cpu"),
        ("cuda", None, "finds no cuda device here; use --device cpu"),
        ("cuda", "mps", "finds no cuda device here; use --device mps"),
        ("cuda:2", "cuda", r"there is no cuda:2: torch finds 2"),
    ],
)
def test_a_device_that_is_not_here_is_an_error_that_says_how_to_go_on(torch, text, kind, problem):
    """A cpu run in place of a gpu run would be a silent pass."""
    torch(kind=kind, count=2)
    with pytest.raises(SetupError, match=problem):
        hardware.resolve_device(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cdua", "unknown device 'cdua'; did you mean cuda"),
        ("cuda:x", "unknown device 'cuda:x'"),
        ("cuda:", "unknown device 'cuda:'"),
        ("cpu:0", "unknown device 'cpu:0'; write cpu"),
        ("gpu:1", "unknown device 'gpu:1'"),
        ("", "unknown device ''"),
    ],
)
def test_a_text_that_names_no_device_is_refused(torch, text, problem):
    """With the nearest name or the right form."""
    torch(kind="cuda")
    with pytest.raises(UsageError, match=problem):
        hardware.resolve_device(text)


def test_where_says_all_that_expectations_care_for(torch):
    """Machine, family, torch's threads, versions and data."""
    torch()
    expected = Where(
        machine=hardware.machine_key("cpu"), family=hardware.family("cpu"), device="cpu", threads=3,
        versions=hardware.versions(), data_digests={"digits_cnn": "ab"},
    )  # fmt: skip
    assert expected == hardware.where("cpu", {"digits_cnn": "ab"})


def test_an_accelerators_figures_do_not_depend_on_the_hosts_threads(torch):
    """Always 1, so that a host's setting hides no expectation; the runtime's version is noted."""
    torch(kind="cuda")
    found = hardware.where("cuda")
    assert found.threads == 1
    assert found.versions["cuda"] == "13.0"


# -- software ----------------------------------------------------------------------------------------------------


def test_versions_are_those_of_what_is_installed_without_local_parts():
    """'2.15.0+cu130' is 2.15.0; python is major.minor; nothing is imported for it."""
    found = hardware.versions()
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert {"torch", "numpy"} <= set(found)
    assert not any("+" in version for version in found.values())


def test_versions_name_the_suite_and_every_package_that_shapes_a_figure(monkeypatch):
    """Folds, pruned channels and generated kernels change with theirs; what is not installed is not named."""
    installed = {"torch": "2.15.0+cu130", "torch-pruning": "1.6.0", "scikit-learn": "1.9", "triton": "3.8"}

    def version(package):
        try:
            return installed[package]
        except KeyError:
            raise metadata.PackageNotFoundError from None

    monkeypatch.setattr(metadata, "version", version)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    expected = {"python": python, "tradeoff-suite": suite.__version__, **installed, "torch": "2.15.0"}
    assert expected == hardware.versions()


def test_importing_the_module_imports_neither_torch_nor_pandas_nor_scipy():
    """A listing of techniques stays quick."""
    ours = "suite.core.machine.hardware, suite.core.machine.quiet, suite.core.phases, suite.measure.sampler.timing"
    code = f"import sys, {ours}; print({{'torch', 'pandas', 'scipy'}} & {{*sys.modules}})"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "body",
    [
        "raise RuntimeError('operator torchvision::nms does not exist')",
        "raise ImportError('undefined symbol: _ZN3c10')",
    ],
)
def test_a_torchvision_of_another_torch_is_explained(tmp_path, monkeypatch, body):
    """One sentence with what torchvision said and the command that mends it."""
    (tmp_path / "torchvision.py").write_text(body, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(
        SetupError, match=r"cannot be used with torch .*pip install --upgrade torch torchvision"
    ) as caught:
        hardware.check_torchvision()
    assert body.split("'")[1] in str(caught.value)


def test_a_torchvision_that_imports_is_fine(tmp_path, monkeypatch):
    """Nothing is said where nothing is wrong."""
    (tmp_path / "torchvision.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    assert hardware.check_torchvision() is None
    del sys.modules["torchvision"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_short_and_dirty_where_tracked_files_differ(tmp_path):
    """A real repository: no commit, clean, with an untracked file, changed."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    assert hardware.git_commit(tmp_path) is None
    subprocess.run([*git, "init", "-q"], check=True)
    assert hardware.git_commit(tmp_path) is None
    (tmp_path / "a").write_text("1", "utf-8")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    (tmp_path / "untracked").write_text("1", "utf-8")
    clean = hardware.git_commit(tmp_path)
    assert set(clean) <= set("0123456789abcdef")
    (tmp_path / "a").write_text("2", "utf-8")
    assert f"{clean}-dirty" == hardware.git_commit(tmp_path)
