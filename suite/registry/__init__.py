"""Workloads and techniques by name, and the one meaning of a composition's text."""

from suite.registry.compose import Composition
from suite.registry.declarations import Technique, Workload
from suite.registry.modules import FROM_FILE
from suite.registry.registry import REGISTRY, Registry, technique, workload

__all__ = ["FROM_FILE", "REGISTRY", "Composition", "Registry", "Technique", "Workload", "technique", "workload"]
