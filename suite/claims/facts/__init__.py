"""Figures that claims rest on and that no cell measures: computed, counted, or seen when a program runs.

A file of this folder holds the facts of one subject, each declared by `suite.claims.facts.declare.fact`; all files are
imported when `FACTS` is first asked for a name.
"""

from suite.claims.facts.declare import FACTS, ClaimFact, fact

__all__ = ["FACTS", "ClaimFact", "fact"]
