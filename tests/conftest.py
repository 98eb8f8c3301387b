"""Settings of all tests."""

from fakes import torch  # noqa: F401  # the fixture that stands in for torch on hardware that is not here
from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # slow machines
settings.load_profile("suite")  # are no fault
