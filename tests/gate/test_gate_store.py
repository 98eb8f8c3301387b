"""The ladder machine -> family -> any, over the user's folder and the shipped one."""
# the expected value stands on the left

from __future__ import annotations

from expect_samples import FAMILY, MACHINE, TECHNIQUE, here

from suite.gate import Store


def put(folder, level, metric, low, *, origin=""):
    path = folder / level / "digits_cnn.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(encoding="utf-8") if path.exists() else f"schema = 1\n[origin]\n{origin}\n"
    tier = "portable" if metric == "accuracy" else "family"
    value = 1 if metric == "accuracy" else 5
    entry = f'["{TECHNIQUE}".{metric}]\nvalue = {value}\nlow = {low}\nunit = "1"\nbetter = "higher"\ntier = "{tier}"\n'
    path.write_text(old + entry, encoding="utf-8")


def found(store, **where):
    return {entry.metric: (entry.level, entry.low) for entry in store.find("digits_cnn", here(**where))}


def test_the_most_specific_level_wins(tmp_path):
    """Machine before family before any, metric by metric."""
    put(tmp_path, "any", "accuracy", 1)
    put(tmp_path, "any", "speedup_b1", 1)
    put(tmp_path, FAMILY, "speedup_b1", 2)
    put(tmp_path, FAMILY, "speedup", 2)
    put(tmp_path, MACHINE, "speedup", 3)
    wanted = {"accuracy": ("any", 1), "speedup_b1": (FAMILY, 2), "speedup": (MACHINE, 3)}
    assert wanted == found(Store([tmp_path]))


def test_the_users_folder_wins_over_a_more_specific_shipped_level(tmp_path):
    """A user's own general bound is meant to replace what was shipped; a missing folder is none."""
    put(tmp_path / "own", "any", "speedup_b1", 1)
    put(tmp_path / "shipped", MACHINE, "speedup_b1", 3)
    assert {"speedup_b1": ("any", 1)} == found(Store([tmp_path / "own", tmp_path / "shipped"]))
    assert {"speedup_b1": (MACHINE, 3)} == found(Store([tmp_path / "missing", tmp_path / "shipped"]))


def test_entries_of_other_threads_do_not_apply(tmp_path):
    """Two threads make another machine; without a thread count an entry holds for any."""
    put(tmp_path, "any", "speedup_b1", 1, origin="threads = 8")
    put(tmp_path, FAMILY, "speedup_b1", 2, origin="threads = 2")
    put(tmp_path, MACHINE, "speedup", 3)
    assert {"speedup_b1": ("any", 1), "speedup": (MACHINE, 3)} == found(Store([tmp_path]))
    assert {"speedup_b1": (FAMILY, 2), "speedup": (MACHINE, 3)} == found(Store([tmp_path]), threads=2)


def test_threads_among_the_conditions_count_as_those_of_the_origin(tmp_path):
    """An entry may say itself what its file's origin says for all."""
    put(tmp_path, FAMILY, "speedup_b1", 2, origin="threads = 1")
    path = tmp_path / FAMILY / "digits_cnn.toml"
    path.write_text(path.read_text(encoding="utf-8") + "conditions = { threads = 2 }\n", encoding="utf-8")
    assert {} == found(Store([tmp_path]))
    assert {"speedup_b1": (FAMILY, 2)} == found(Store([tmp_path]), threads=2)
    near = Store([tmp_path]).near("digits_cnn", TECHNIQUE, "speedup_b1", here())
    assert "recorded here with 2 threads, this run uses 1" == near


def test_what_is_near_names_other_machines_and_thread_counts(tmp_path):
    """A reason to be read beside 'unverified'."""
    put(tmp_path, "cuda-sm90", "speedup_b1", 2)
    put(tmp_path, FAMILY, "speedup_b1", 2, origin="threads = 2")
    near = Store([tmp_path]).near("digits_cnn", TECHNIQUE, "speedup_b1", here())
    assert f"recorded here with 2 threads, this run uses 1; recorded on cuda-sm90, this is {MACHINE}" == near
    assert None is Store([tmp_path]).near("digits_cnn", TECHNIQUE, "accuracy", here())


def test_a_broken_file_of_another_machine_stops_nobody_here(tmp_path):
    """It is named beside the reason; the lint of all files is what refuses it."""
    put(tmp_path, "cuda-sm90", "speedup_b65", 2)
    near = Store([tmp_path]).near("digits_cnn", TECHNIQUE, "speedup_b1", here())
    assert "did you mean speedup" in near
    assert {} == found(Store([tmp_path]))
