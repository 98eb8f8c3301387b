"""Networks that ended with a wrong figure, a traceback or somebody else's words: each with what is right.

A process takes seconds to start, so that one runs the workloads of several inputs.
"""
# the expected value stands on the left

import json
import re

import pytest

pytestmark = pytest.mark.system

MEASURED, REFUSED = 0, 11
QUIET = ("--quick", "--seeds=1", "--device=cpu", "--expect=off", "-k", "quality or size")


@pytest.fixture
def bench(run, folder):
    """``bench(names, techniques)``: quality and sizes of all workloads of some inputs, in one process."""

    def measured(names, techniques=("baseline",), *, workloads=()):
        files = [folder(name) / "bench.py" for name in names]
        found = [one for file in files for one in declared(file)]
        chosen = [f"--workload={one}" for one in workloads or found]
        chosen += [f"--technique={one}" for one in techniques]
        return run(names[0], "bench", *QUIET, *(f"--load={file}" for file in files), *chosen)

    return measured


@pytest.fixture
def records(folder):
    """``records(name, kind)``: of the latest run in a copy of the folder."""

    def read(name, kind):
        lines = (folder(name) / "reports" / "latest" / "results.jsonl").read_text("utf-8").splitlines()
        return [one for one in map(json.loads, lines) if kind == one["type"]]

    return read


@pytest.fixture
def reasons(records):
    """``reasons(name)``: why cells are unavailable, by workload and technique without parameters; no cell may fail."""

    def unavailable(name):
        failures = records(name, "failure")
        assert [] == [one["reason"] for one in failures if "error" == one["kind"]]
        return {(one["cell"]["workload"], plain(one)): one["reason"] for one in failures}

    return unavailable


@pytest.fixture
def figures(records):
    """``figures(name, metric)``: by workload and technique without parameters."""

    def values(name, metric):
        found = [one for one in records(name, "measurement") if metric == one["metric"]]
        return {(one["cell"]["workload"], plain(one)): one["value"] for one in found}

    return values


def declared(file):
    return re.findall(r"^@workload.*\n(?:@.*\n)*def (\w+)", file.read_text("utf-8"), re.MULTILINE)


def plain(record):
    return record["cell"]["technique"].partition("(")[0]


FAULTS = (
    r"'hooked_net': .*a copy of it computes with the original's weights.*04/bench\.py:\d+",
    r"'wet': .*two calls .* different outputs in evaluation mode, .*; turn dropout and noise off.*09/bench\.py:\d+",
    r"'from_one': .*labels must be whole numbers from 0 to 1; subtract 1 from the labels.*18/bench\.py:\d+",
    r"'strange_class': .*21/bench\.py:\d+.*weights_only=False",
    r"'prefix_strict': .*21/bench\.py:\d+.*the names have the prefix of DataParallel",
)


def test_a_fault_of_a_workload_is_one_message_with_its_line_and_a_remedy(bench):
    """Before anything trains; the faults of five workloads are five messages."""
    chosen = ("hooked_net", "wet", "from_one", "strange_class", "prefix_strict")
    done = bench(("04", "09", "18", "21"), workloads=chosen)
    text = done.stdout + done.stderr
    assert REFUSED == done.returncode, text
    assert [] == [said for said in FAULTS if not re.search(said, text)], text
    assert "Traceback" not in text
    assert "training " not in done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "22",
            r"bench\.py'?: it makes float64 torch's default type .*22/bench\.py:7.*\.to\(torch\.float64\)",
        ),
        ("23", r"bench\.py'?: it parses the command line when it is imported.*bench\.py:\d+"),
    ],
)
def test_a_module_that_changes_the_process_is_refused_with_its_line(bench, name, said):
    """Whatever other workloads are loaded, they are not blamed."""
    done = bench((name,))
    text = done.stdout + done.stderr
    assert REFUSED == done.returncode, text
    assert re.search(said, text, re.DOTALL), text
    assert "Traceback" not in text


def test_networks_as_users_have_them_are_measured(bench, folder, reasons, figures):
    """One logit, a last batch of one, keyword inputs, outputs of any form, labels of any type."""
    names = ("02", "06", "14", "18", "20")
    expected = {one for name in names for one in declared(folder(name) / "bench.py")} - {"from_one"}
    done = bench(names, workloads=sorted(expected))
    assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
    assert {} == reasons("02")
    accuracy, error = figures("02", "accuracy"), figures("02", "mean_squared_error")
    assert expected == {workload for workload, _ in (accuracy | error)}
    assert accuracy["logit_float", "baseline"] > 0.9  # 71 % by an argmax over one column
    assert accuracy["logit_bce", "baseline"] > 0.9
    assert error["flat_targets", "baseline"] < 2.5  # 4 where [N] is broadcast against [N, 1]
    assert "differ between two builds, so they are not from the checkpoint" in done.stdout


def test_tied_weights_are_coded_once_and_stay_tied_or_the_technique_says_why_not(bench, reasons, figures):
    """No artefact is larger than the float32 one, and no count knows the second name."""
    techniques = (
        "baseline", "simulated_qat", "deep_compression", "weight_only_int8", "dynamic_int8", "structured_pruning",
        "magnitude_pruning", "low_rank", "static_int8",
    )  # fmt: skip
    done = bench(("01",), techniques)
    assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
    unavailable = {(workload, one) for workload in ("tied", "twice") for one in ("structured_pruning", "static_int8")}
    assert unavailable == set(reasons("01"))
    assert all(re.search(r"table\.weight and head\.|first\.weight and second\.", why) for why in reasons("01").values())
    size, count = figures("01", "artefact_bytes"), figures("01", "parameters")
    assert [] == [cell for cell in size if size[cell] > size[cell[0], "baseline"]]
    coded = ("simulated_qat", "deep_compression", "weight_only_int8", "dynamic_int8")
    assert [] == [cell for cell in size if cell[1] in coded and size[cell] > 0.9 * size[cell[0], "baseline"]]
    assert [] == [cell for cell in count if count[cell] > count[cell[0], "baseline"]]


def test_normalised_viewed_and_computed_floats_are_measured_or_unavailable(bench, reasons):
    """Weight and spectral norm, a view after a convolution, floats that the network makes inside."""
    techniques = (
        "baseline",
        "magnitude_pruning",
        "structured_pruning",
        "pure_bf16",
        "simulated_qat",
        "low_rank",
        "channels_last",
    )
    done = bench(("05", "11", "12"), techniques)
    assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
    found = reasons("05")
    assert re.search(r"view size is not compatible.*11/bench\.py:\d+", found["viewed", "channels_last"])
    assert re.search(r"RuntimeError.*12/bench\.py:\d+", found["from_bytes", "pure_bf16"])
    assert "are no images" in found["positions", "channels_last"]
    assert "viewed" not in {workload for workload, technique in found if technique != "channels_last"}
    assert {"structured_pruning", "simulated_qat", "channels_last"} >= {
        t for w, t in found if w in {"wn_hook", "wn_param"}
    }


def test_normalised_weights_are_quantized_or_the_reason_is_told(bench, reasons):
    """The old hook's weight is no parameter: an error after the training, once."""
    done = bench(("05",), ("baseline", "static_int8"))
    assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
    assert ["a hook computes the weight of 0"] == [why[13:44] for why in reasons("05").values()]


def test_a_checkpoint_in_bfloat16_has_codes_and_one_with_inputs_of_another_type_is_a_fault(bench, reasons, figures):
    """Codes are shorter than the checkpoint; the fault is told with its line and a remedy, and stops no other cell."""
    done = bench(("19",), ("baseline", "deep_compression", "simulated_qat", "magnitude_pruning"))
    assert REFUSED == done.returncode, done.stdout[-3000:] + done.stderr
    assert re.search(r"'bf16_weights': .*must have the same dtype.*19/bench\.py:\d+\]; cast the inputs", done.stdout)
    assert {} == reasons("19")
    size = figures("19", "artefact_bytes")
    plain_size = size["bf16_inputs", "baseline"]
    assert {"deep_compression", "simulated_qat"} == {
        technique for (_, technique), value in size.items() if value < plain_size
    }
    assert plain_size == size["bf16_inputs", "magnitude_pruning"]


def test_the_grids_of_bfloat16_have_real_codes(script_of):
    """Of two matrices each; fewer bits take fewer bytes."""
    done = script_of("19", "grids_of_bf16.py")
    assert 0 == done.returncode, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert 9 == len(rows)
    assert [] == [row for row in rows if "False]" in row or "[False," in row]


def test_a_builder_that_returns_the_same_network_again_gives_what_one_that_loads_it_anew_gives(bench, records):
    """No technique prunes another one's network, and no seed goes on training it."""
    techniques = ("baseline", "magnitude_pruning", "structured_pruning", "low_rank")
    done = bench(("03",), techniques, workloads=("anew", "cached"))
    assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
    anew, cached = (same_cells(records("03", "measurement"), one) for one in ("anew", "cached"))
    assert 4 == len({technique for technique, _ in anew})
    assert anew == cached


def test_the_same_seed_gives_the_same_figures_whosever_generator_draws(bench, records):
    """NumPy's and `random`'s are seeded too; a builder that keeps its network is no exception."""
    seen = []
    for _ in range(2):
        done = bench(("27", "03"), workloads=("numpy_weights", "random_batches", "trained_once"))
        assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
        assert "not reproducible" not in done.stdout
        found = records("27", "measurement")
        seen.append({one: same_cells(found, one) for one in ("numpy_weights", "random_batches", "trained_once")})
    assert 3 == sum(map(bool, seen[0].values()))
    assert seen[0] == seen[1]


def same_cells(found, workload):
    """Values of a workload by technique and metric, but for times."""
    own = [one for one in found if workload == one["cell"]["workload"] and "seconds" not in one["metric"]]
    return {(one["cell"]["technique"], one["metric"]): one["value"] for one in own}
