"""What imports what: cheap entry points, and layers that only look down."""
# the expected value stands on the left

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import suite

ROOT = Path(suite.__file__).parent
HEAVY = ("torch", "torchvision", "pandas", "rich")
ROOMS = (
    "core",
    "training",
    "registry",
    "catalog",
    "measure",
    "curves",
    "gate",
    "report",
    "claims",
    "bench",
    "compare",
    "analysis",
    "cli",
)
"""From the bottom up: a room imports itself and what stands before it."""
MOST_ENTRIES = 16  # of the package's folder
STRANGERS = ("measure", "gate", "report")


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def part(module):
    """The part of the suite that a module belongs to: ``suite.measure.sampler.timing`` to ``measure``."""
    return module.split(".")[1] if "." in module else ""


def floor(module):
    """The package itself hands on names of its rooms; ``__main__`` starts the command line."""
    return ROOMS.index(part(module)) if part(module) in ROOMS else len(ROOMS)


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def statements(node):
    """Every import statement below ``node``, inside functions too, except those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child) or not isinstance(child, STATEMENTS):  # no expression holds one
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        yield from statements(child)


def imported(module, statement):
    """The suite's modules that a statement imports."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    elif statement.level:
        package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
        base = ".".join(package.split(".")[: len(package.split(".")) - statement.level + 1])
        names = [".".join(filter(None, (base, statement.module, alias.name))) for alias in statement.names]
    else:
        names = [f"{statement.module}.{alias.name}" for alias in statement.names]
    return {known(name) for name in names if name == "suite" or name.startswith("suite.")}


def known(name):
    """The module that a dotted name lies in."""
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


DECLARING = ("suite.catalog.techniques.", "suite.catalog.runtimes.")
TECHNIQUES = sorted(module for module in MODULES if module.startswith(DECLARING))
EDGES = {
    module: set().union(*(imported(module, found) for found in statements(ast.parse(path.read_text("utf-8")))))
    for module, path in MODULES.items()
}


def run_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("module", ["suite", "suite.bench.pytest_plugin.plugin", "suite.cli.main"])
def test_importing_an_entry_point_loads_neither_torch_nor_pandas(module):
    """Every pytest run of an environment loads the plugin; it must not cost seconds."""
    found = run_python(f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))")
    assert [] == found


@pytest.mark.parametrize("module", sorted(module for module in MODULES if part(module) in ROOMS))
def test_a_module_imports_only_its_own_room_and_those_below(module):
    """In the order of the flow: core, training, registry, ... up to the command line."""
    upwards = {found for found in EDGES[module] if part(found) and floor(found) > floor(module)}
    assert [] == sorted(upwards)


def test_the_package_has_no_rooms_but_these():
    """A new folder needs a place in the order."""
    entries = {entry.name for entry in ROOT.iterdir()} - {"__pycache__"}
    assert len(entries) <= MOST_ENTRIES
    assert set(ROOMS) == {entry.removesuffix(".py") for entry in entries} - {"__init__", "__main__", "py.typed"}


@pytest.mark.parametrize("module", sorted(module for module in MODULES if part(module) in STRANGERS))
def test_measure_gate_and_report_meet_in_the_records(module):
    """None of the three imports another."""
    others = set(STRANGERS) - {part(module)}
    assert [] == sorted(found for found in EDGES[module] if part(found) in others)


def test_no_module_imports_itself_through_others():
    """A circle of imports is a room that is two rooms, or a wall in the wrong place."""
    open_edges = {module: set(found) - {module} for module, found in EDGES.items()}
    while free := {module for module, found in open_edges.items() if not found}:
        open_edges = {module: found - free for module, found in open_edges.items() if module not in free}
    assert {} == {module: sorted(found) for module, found in open_edges.items()}


def test_rooms_form_no_circle():
    """Neither do the folders and files right below the package."""
    rooms = {}
    for module, found in EDGES.items():
        if part(module):  # the package itself only hands names on
            rooms.setdefault(part(module), set()).update({part(f) for f in found} - {part(module), ""})
    while free := {room for room, found in rooms.items() if not found}:
        rooms = {room: found - free for room, found in rooms.items() if room not in free}
    assert {} == {room: sorted(found) for room, found in rooms.items()}


@pytest.mark.parametrize("module", sorted(module for module in MODULES if part(module) in ("gate", "report")))
def test_expectations_and_reports_know_nothing_of_training(module):
    """They read records, which another machine may have written; nothing of torch is needed for that."""
    assert [] == sorted(found for found in EDGES[module] if part(found) == "training")


@pytest.mark.parametrize("module", TECHNIQUES)
def test_a_technique_does_not_import_another_one(module):
    """A new technique is one new file, and a file can be taken away."""
    assert [] == sorted(found for found in EDGES[module] if found.startswith(DECLARING) and found != module)


def test_the_public_names_are_all_there():
    """What ``__all__`` promises can be imported."""
    assert [] == [name for name in suite.__all__ if not hasattr(suite, name)]
