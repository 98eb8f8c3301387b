"""Children of a loaded worker: real processes around a side that is made up, without torch."""
# the expected value stands on the left

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path

import pytest

import suite
from suite.compare import children, process, worker
from suite.compare.process import Process, SideError
from suite.compare.protocol import Begin, Calibrated, Done, End, SideRequest, TimedTurn, Turn
from suite.compare.sides import Side

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")

MADE_UP = """
import importlib.util, json, os, random, signal, sys, threading, time
from dataclasses import dataclass
from pathlib import Path
spec = importlib.util.spec_from_file_location("real", {worker!r})
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
protocol = worker.protocol

@dataclass(frozen=True, kw_only=True)
class Do:
    what: str

@dataclass(frozen=True, kw_only=True)
class Said:
    figures: dict

protocol.QUESTIONS["Do"] = Do

class Made:
    turns = 0
    def __init__(self, request): pass
    def ready(self):
        exec(os.environ.get("MADE_UP_BUILDING", ""))
        about = json.dumps({{"here": os.getcwd(), "path": sys.path[:1], "environ": os.environ["PYTHONPATH"]}})
        return protocol.Ready(own_weights=True, torch="2", file=about, forks=can_fork("cpu"))
    def begin(self, _): return Said(figures={{"pid": os.getpid(), "ppid": os.getppid()}})
    def turn(self, _):
        self.turns += 1
        return Said(figures={{"turns": self.turns}})
    def end(self, _): return protocol.Done()
    def do(self, asked): return getattr(self, asked.what)()
    def fail(self): raise ValueError("no luck")
    def leave(self): raise SystemExit(0)
    def vanish(self): os._exit(0)
    def group(self): return Said(figures={{"group": os.getpgid(0), "luck": random.random()}})
    def kill(self): os.kill(os.getpid(), signal.SIGKILL)
    def hang(self): time.sleep(60)
    def broken(self): return worker._failure(ValueError("no luck"))

    def newer(self): return TimedTurn(seconds=1.0, stolen=False, joules=2.5)
    def old(self): return protocol.Calibrated(calls=1.5, seconds=1.0)

@dataclass(frozen=True, kw_only=True)
class TimedTurn(protocol.TimedTurn):
    joules: float

worker._Side = Made
def load_torch():
    exec(os.environ.get("MADE_UP_LOADING", ""))
can_fork, main, pin, die_with_parent = worker.can_fork, worker.main, worker.pin, worker.die_with_parent
if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""


@dataclass(frozen=True, kw_only=True)
class Do:
    """Whatever a test asks for."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """Whatever it is told."""

    figures: dict[str, int | float]


def told(made, question):
    """The figures of an answer."""
    return made.ask(question, Said).figures


BEGIN, TURN, END = Begin(forked=True), Turn(metric="speed", calls=1), End()
REQUEST = SideRequest(workload="w", technique="baseline", device="cpu", batch=1)


@pytest.fixture
def side(tmp_path, monkeypatch):
    """A checkout whose worker is made up, and loads nothing."""
    (tmp_path / "worker.py").write_text(MADE_UP.format(worker=worker.__file__), "utf-8")
    shutil.copy(children.IMAGE, tmp_path / "preloaded.py")
    monkeypatch.setattr(process, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(children, "IMAGE", tmp_path / "preloaded.py")
    monkeypatch.setenv("SUITE_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    return Side(name="current", root=tmp_path, here=tmp_path, python=Path(sys.executable))


@pytest.fixture(params=["a Python of its own", "forked from an image"])
def made(request, side):
    """A worker, ready."""
    other = replace(side, python=Path("another")) if request.param == "a Python of its own" else side
    with process.image(side, other, REQUEST, folder=side.root) as image:
        assert (image is None) == (other is not side)
        with Process(side, REQUEST, folder=side.root, other=side, image=image) as found:
            found.told = found.ready()
            yield found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_worker_starts_in_its_sides_folder_and_import_path(made, side):
    """Wherever it comes from."""
    about = json.loads(made.told.file)
    assert str(side.here) == about["here"]
    assert made.told.forks
    assert [str(side.root / "lib")] == [about["environ"]] == about["path"]


def test_each_child_begins_where_the_loaded_process_stands(made):
    """What one does is gone with it; the loaded process answers for those that ended."""
    seen = []
    for _ in range(3):
        pid = told(made, BEGIN)["pid"]
        seen.append((told(made, TURN)["turns"], told(made, TURN)["turns"]))
        assert Done() == made.ask(END, Done)
        assert not alive(pid)
    assert [(1, 2)] * 3 == seen


def test_without_a_fork_the_loaded_process_itself_answers(made):
    """It keeps what it did."""
    here = Begin(forked=False)
    first, _, second = told(made, here), told(made, TURN), told(made, here)
    assert first == second
    assert 2 == told(made, TURN)["turns"]
    assert Done() == made.ask(END, Done)


def test_what_a_child_raises_are_the_last_words_of_its_side(made):
    """As if it had happened in the loaded process."""
    told(made, BEGIN)
    with pytest.raises(SideError, match="current: ended with 1: ValueError: no luck") as caught:
        told(made, Do(what="fail"))
    assert "crash" == caught.value.kind


def test_a_child_that_is_killed_is_told_by_its_signal(made):
    """By 128 and its number, as shells do: out of memory, for example."""
    told(made, BEGIN)
    with pytest.raises(SideError, match="ended with 137"):
        told(made, Do(what="kill"))


def test_a_child_that_exits_by_itself_has_not_answered(made):
    """A network may call `sys.exit`."""
    told(made, BEGIN)
    with pytest.raises(SideError, match="ended with 1: SystemExit: 0"):
        told(made, Do(what="leave"))


def test_a_child_that_vanishes_has_not_answered_either(made):
    """A library may end the process behind Python's back."""
    told(made, BEGIN)
    with pytest.raises(SideError, match="current: ended with 1"):
        told(made, Do(what="vanish"))


def test_children_draw_the_same_random_numbers(made):
    """Those of the other side do, too: a network that draws does the same work on both."""
    drawn = []
    for _ in range(2):
        told(made, BEGIN)
        drawn.append(told(made, Do(what="group"))["luck"])
        made.ask(END, Done)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("leaving", ["sys.exit('run make data')", "raise ImportError('run make data')"])
def test_the_last_words_of_a_side_that_does_not_load_are_told(image, side, leaving, monkeypatch):
    """Forked or not."""
    monkeypatch.setenv("MADE_UP_BUILDING", leaving)
    for python in (side.python, Path("another")):
        with image(replace(side, python=python)) as loaded:
            one = Process(side, REQUEST, folder=side.root, other=side, image=loaded)
            with one, pytest.raises(SideError, match=r"current: .*run make data"):
                one.ready()


def test_a_side_that_fails_to_begin_says_its_kind(made):
    """It may be that this machine lacks something."""
    with pytest.raises(SideError, match="current: ValueError: no luck") as caught:
        told(made, Do(what="broken"))
    assert "ValueError" == caught.value.kind


def test_a_field_that_a_worker_adds_to_a_measurement_arrives(made):
    """No list of fields stands between its record and the driver's."""
    kind = make_dataclass("TimedTurn", [("joules", float)], bases=(TimedTurn,), frozen=True, kw_only=True)
    assert kind(seconds=1.0, stolen=False, joules=2.5) == made.ask(Do(what="newer"), kind)


@pytest.mark.parametrize(
    ("what", "kind", "reason"),
    [
        ("newer", TimedTurn, "no TimedTurn: it has no field joules"),
        ("newer", Done, "a TimedTurn where a Done was expected"),
        ("old", Calibrated, "no Calibrated: Expected `int`"),
    ],
)
def test_an_answer_that_does_not_fit_is_told(made, what, kind, reason):
    """It is an error of its side, and nothing of it is taken."""
    with pytest.raises(SideError, match=f"current: its process answered with {reason}") as caught:
        made.ask(Do(what=what), kind)
    assert "answer" == caught.value.kind


def test_a_child_that_hangs_is_killed_with_its_parent(made, monkeypatch):
    """Else the driver would wait for a pipe that the child holds open."""
    pid = told(made, BEGIN)["pid"]
    monkeypatch.setattr(process, "TIMEOUT", 0.2)
    with pytest.raises(SideError, match="ended with -9"):
        told(made, Do(what="hang"))
    assert ended(pid)


def test_a_child_ends_when_its_driver_is_gone(made):
    """Nobody asks any more."""
    pid = told(made, BEGIN)["pid"]
    made.__exit__(None, None, None)
    assert not alive(pid)


@pytest.fixture
def image(side):
    """What two sides can be forked from, if there is such a thing."""

    def one(other=None, request=REQUEST):
        return process.image(side, other or side, request, folder=side.root)

    return one


def test_both_sides_of_an_image_live_at_the_same_time(image, side):
    """And are children of it, with groups of their own."""
    with image() as loaded, ExitStack() as stack:
        assert loaded is not None
        both = [
            stack.enter_context(Process(side, REQUEST, folder=side.root, other=side, image=loaded, number=number))
            for number in (0, 1)
        ]
        assert all(one.ready().forks for one in both)
        first, second = (told(one, Begin(forked=False)) for one in both)
        assert [one["pid"] for one in (first, second)] == [told(one, Do(what="group"))["group"] for one in both]
    assert first["pid"] != second["pid"]
    assert first["ppid"] == second["ppid"]


def test_sides_with_nothing_in_common_or_no_safe_forks_load_by_themselves(image, side, monkeypatch):
    """Another environment, a device, several threads."""
    with image(replace(side, python=Path("another"))) as loaded:
        assert loaded is None
    with image(request=replace(REQUEST, device="cuda:0")) as loaded:
        assert loaded is None
    monkeypatch.setenv("SUITE_THREADS", "4")
    with image() as loaded:
        assert loaded is None


@pytest.mark.parametrize(
    "loading", ["raise ImportError('no torch')", "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"]
)
def test_an_image_that_cannot_be_used_is_none(image, loading, monkeypatch):
    """The side that loads by itself then says what is wrong, if anything is."""
    monkeypatch.setenv("MADE_UP_LOADING", loading)
    with image() as loaded:
        assert loaded is None


def test_the_end_of_an_image_is_the_end_of_its_sides(image, side):
    """Out of memory, for example: nothing hangs, nothing is left, and no side is blamed for what comes next."""
    with image() as loaded, Process(side, REQUEST, folder=side.root, other=side, image=loaded) as one:
        assert loaded is not None
        one.ready()
        pids = told(one, BEGIN)
        os.kill(parent_of(pids["ppid"]), signal.SIGKILL)
        with pytest.raises(SideError, match="current: ended with -9"):
            told(one, Do(what="hang"))
        with pytest.raises(SideError, match="the process that both sides are forked from: it") as caught:
            Process(side, REQUEST, folder=side.root, other=side, image=loaded, number=1)
        assert side.name != caught.value.side
        assert ended(*pids.values())


def test_the_end_of_a_process_is_asked_for_once_by_whom_ever(image, side):
    """By the thread whose question it leaves unanswered and by the one that ends it; the image goes on."""
    with image() as loaded, ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        both = [
            stack.enter_context(Process(side, REQUEST, folder=side.root, other=side, image=loaded, number=number))
            for number in (0, 1)
        ]
        both[0]._child.kill()
        both[1]._child.stdin.close()
        assert [-9, 0, -9, 0] == list(pool.map(lambda one: one._child.wait(), both * 2, timeout=60))
        with Process(side, REQUEST, folder=side.root, other=side, image=loaded, number=2) as one:
            assert one.ready().forks


def test_an_image_says_that_it_has_no_such_process_and_goes_on(image, side):
    """One that was waited for, for example."""
    with image() as loaded:
        assert loaded is not None
        with pytest.raises(children.ImageError, match="it has no process 1: "):
            loaded.wait(1)
        with Process(side, REQUEST, folder=side.root, other=side, image=loaded) as one:
            assert one.ready().forks


def test_who_waits_for_an_image_that_is_killed_is_told(side, monkeypatch):
    """In another thread than the one that needs it no more."""
    monkeypatch.setenv("MADE_UP_LOADING", "time.sleep(60)")
    loading = process.image_of(side, side, REQUEST, errors=side.root / "image.err")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(loading.load)
        loading.kill()
        with pytest.raises(children.ImageError, match="it ended with -9"):
            waiting.result(60)


def test_a_python_that_does_not_exist_is_no_image(side):
    """Nor is what runs before it, such as valgrind."""
    missing = replace(side, python=side.root / "missing")
    with pytest.raises(children.ImageError, match=r"it cannot be started: .*missing"):
        process.image_of(missing, missing, REQUEST, errors=side.root / "image.err")


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def ended(*pids):
    """Whether they end within five seconds."""
    for _ in range(100):
        if not any(map(alive, pids)):
            return True
        time.sleep(0.05)
    return False


DRIVER = """
import os, sys, time
from dataclasses import dataclass
from pathlib import Path
from suite.compare import children, process, protocol
from suite.compare.sides import Side
root = Path(sys.argv[1])
process.WORKER, children.IMAGE = root / "worker.py", root / "preloaded.py"
side = Side(name="current", root=root, here=root, python=Path(sys.executable))
@dataclass
class Said:
    figures: dict
request = protocol.SideRequest(workload="w", technique="baseline", device="cpu", batch=1)
with process.image(side, side, request, folder=root) as image:
    for number, one in enumerate((image, None)):
        made = process.Process(side, request, folder=root, other=side, number=number, image=one)
        made.ready()
        print(*made.ask(protocol.Begin(forked=True), Said).figures.values(), flush=True)
        made._child.stdin.write('{"Do": {"what": "hang"}}\\n')
        made._child.stdin.flush()
    time.sleep(60)
"""


def test_nothing_lives_on_when_the_driver_is_killed(side):
    """Workers in the midst of a long question, and what they forked: the next run may take their core."""
    driver = subprocess.Popen(
        [sys.executable, "-P", "-c", DRIVER, str(side.root)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(suite.__file__).parents[1])},
    )  # fmt: skip
    with driver:
        pids = [int(pid) for _ in range(2) for pid in driver.stdout.readline().split()]
        assert all(map(alive, pids))
        driver.kill()
    assert 4 == len(pids)
    assert ended(*pids)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (("cpu", "1", ["python"]), True),
        (("cpu", "1", ["python", "jemalloc_bg_thd"]), True),
        (("cuda:0", "1", ["python"]), False),
        (("cpu", "4", ["python"]), False),
        (("cpu", "1", ["python", "python"]), False),
        (("cpu", "1", []), False),
    ],
)
def test_forks_are_for_one_thread_on_the_host(case, expected, tmp_path, monkeypatch):
    """A device's context and other threads' locks do not survive them; where there is no /proc nobody knows."""
    device, threads, tasks = case
    for number, name in enumerate(tasks):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(f"{name}\n", "utf-8")
    monkeypatch.setattr(worker, "TASKS", tmp_path)
    monkeypatch.setenv("SUITE_THREADS", threads)
    assert expected is worker.can_fork(device)
