"""The suite from a checkout that nobody installed: no command, no entry point, the import path alone."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
OWN = ("tradeoff_suite", "_tradeoff_suite", "_editable_impl_tradeoff_suite", "__editable__")


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The interpreter of an environment with everything that is installed here, the suite left out."""
    made = tmp_path_factory.mktemp("bare")
    venv.create(made, symlinks=True)
    python = made / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    target = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(OWN):
            (target / path.name).symlink_to(path)
    return python


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_bench_runs_from_a_checkout_that_is_not_installed(bare, environment, lab):
    """`PYTHONPATH=<checkout> python -P -m suite bench`: the plugin comes by its name, not by an entry point."""
    here = {**environment, "PYTHONPATH": str(ROOT)}

    def run(*arguments):
        return subprocess.run(
            [bare, "-P", *arguments], cwd=lab, env=here, timeout=150, capture_output=True, text=True, check=False
        )

    gone = run("-c", "import importlib.metadata as m; print([e.name for e in m.entry_points(group='pytest11')])")
    assert "tradeoff_suite" not in gone.stdout
    options = ("--device=cpu", "--quick", "--load=lab.py", "--workload=tiny", "--expect=off", "-k", "size")
    done = run("-m", "suite", "bench", "--technique=baseline", *options)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "training tiny baseline" in done.stdout
    assert "1 passed" in done.stdout
