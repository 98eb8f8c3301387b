"""Files and functions without a torch module: what opens them, what ships, what is never pickled."""
# the expected value stands on the left

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import tiny
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from suite.core.errors import UsageError
from suite.training.artefacts import artefact, from_files
from suite.training.loop import untrained
from suite.training.onnx_engine import ONNXRuntime
from suite.training.openvino_engine import OpenVINO
from suite.training.serving import plainly, predict, serve
from suite.training.trees import cat

INPUTS = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")


def trained_of(paths, load=None):
    return untrained(artefact(paths, data=lambda: tiny.splits(0), load=load), seed=0, device="cpu")


def answers(paths, load=None):
    return predict(serve(trained_of(paths, load)), torch.from_numpy(INPUTS), batch=8).numpy()


def written(path, content):
    path.write_bytes(content)
    return path


def test_an_estimator_answers_with_its_probabilities_or_what_it_predicts(tmp_path):
    """As scikit-learn does by itself."""
    classes, values = INPUTS[:, 0] > 0, INPUTS @ [1.0, 2.0, 3.0]
    classifier, regressor = LogisticRegression().fit(INPUTS, classes), LinearRegression().fit(INPUTS, values)
    for name, estimator in {"c.joblib": classifier, "r.joblib": regressor}.items():
        joblib.dump(estimator, tmp_path / name)
    assert np.allclose(classifier.predict_proba(INPUTS), answers(tmp_path / "c.joblib"), atol=1e-6)
    assert np.allclose(values, answers(tmp_path / "r.joblib"), atol=1e-4)


def test_a_function_answers_from_the_bytes_of_its_files(tmp_path):
    """They ship as they are, under their names."""
    weights = io.BytesIO()
    np.save(weights, np.eye(3, dtype="float32") * 2)
    path = written(tmp_path / "weights.npy", weights.getvalue())

    def load(files):
        held = np.load(io.BytesIO(files["weights.npy"]))
        return lambda x: x @ held

    assert np.array_equal(INPUTS * 2, answers(path, load))
    assert {"weights.npy": weights.getvalue()} == serve(trained_of(path, load)).artifact.files


def test_the_network_in_its_place_answers_alike_and_has_no_weights(tmp_path):
    """It is what the served files are held against."""
    trained = trained_of(written(tmp_path / "a.bin", b"1"), lambda _: lambda x: x + 1)
    plain = predict(plainly(trained), torch.from_numpy(INPUTS), batch=8)
    assert torch.equal(torch.from_numpy(INPUTS) + 1, plain)
    assert [] == list(trained.network.parameters())


def test_it_is_neither_copied_nor_pickled(tmp_path):
    """A function need not survive either; another process opens the files by the recipe."""
    network = trained_of(written(tmp_path / "a.bin", b"1"), lambda _: lambda x: x).network
    assert network is copy.deepcopy(network)
    sent = pickle.loads(pickle.dumps(network))  # noqa: S301  # our own bytes
    with pytest.raises(UsageError, match="never sent to another process"):
        sent(torch.from_numpy(INPUTS))


def test_files_that_nothing_opens_are_refused_with_what_does(tmp_path):
    """So are files that are not there, or have one name."""
    path = written(tmp_path / "model.tar", b"1")
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match=r"no engine is known for model.tar; files end with .onnx, .*load="):
        serve(trained_of(path))
    with pytest.raises(UsageError, match=r"gone.onnx cannot be read: No such file"):
        serve(trained_of(tmp_path / "gone.onnx"))
    with pytest.raises(UsageError, match="have one name"):
        from_files([path, written(tmp_path / "other" / "model.tar", b"2")]).files()
    with pytest.raises(UsageError, match=r"name both files"):
        serve(trained_of(written(tmp_path / "network.xml", b"1")))


def test_a_file_that_is_cut_short_is_named_with_what_its_engine_said(tmp_path):
    """Each kind of file raises something else; so does a function that is given."""
    joblib.dump(LinearRegression().fit(INPUTS, INPUTS[:, 0]), tmp_path / "whole.joblib")
    cut = written(tmp_path / "cut.joblib", (tmp_path / "whole.joblib").read_bytes()[:200])
    with pytest.raises(UsageError, match=r"cut.joblib cannot be opened \(\w+.*\); is the file whole"):
        serve(trained_of(cut))
    with pytest.raises(UsageError, match=r"cut.joblib cannot be opened \(KeyError: 'x'\); load= raised it"):
        serve(trained_of(cut, lambda files: files["x"]))


@pytest.mark.system
@pytest.mark.parametrize(("engine", "runtime"), [("onnxruntime", ONNXRuntime()), ("openvino", OpenVINO())])
def test_an_engines_file_answers_and_says_what_ran(tmp_path, engine, runtime):
    """No precision is promised, so that none can be contradicted."""
    network, inputs = tiny.fitted().network.eval(), tiny.splits(0).test.inputs
    files = runtime.export(network, inputs[:2]).files
    paths = [written(tmp_path / name, content) for name, content in files.items()]
    served = serve(trained_of(paths))
    found = predict(served, inputs, batch=8)
    assert torch.allclose(network(inputs).detach(), cat([found]), atol=0.05)
    assert (engine, 1.0) == (served.predictor.executed.engine, served.predictor.executed.share)
