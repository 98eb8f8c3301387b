"""Settings of the tests of advice: HYPOTHESIS_PROFILE=ci tries every property on 500 examples."""

import os

import pytest
from hypothesis import settings

DEFAULT = "advise"
settings.register_profile(DEFAULT, settings.get_profile("suite"), max_examples=8)
settings.register_profile("ci", settings.get_profile("suite"), max_examples=500)


@pytest.fixture(autouse=True, scope="module")
def _profile():
    """Hypothesis reads the profile while a test runs, so this folder has its own and the other tests keep theirs."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", DEFAULT))
    yield
    settings.load_profile("suite")
