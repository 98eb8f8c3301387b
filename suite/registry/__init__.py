"""Workloads and techniques by name, and the one meaning of a composition's text."""

from suite.registry.compose import Composition
from suite.registry.declarations import Family, Technique, Workload
from suite.registry.modules import FROM_FILE
from suite.registry.registry import REGISTRY, Registry, technique, workload, workload_family

__all__ = [
    "FROM_FILE", "REGISTRY", "Composition", "Family", "Registry", "Technique", "Workload", "technique", "workload",
    "workload_family",
]  # fmt: skip
