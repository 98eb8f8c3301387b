"""The reference is what the program says of itself, and complete."""
# the expected value stands on the left

from doc_pages import PAGES

from suite.bench.exit_code import KNOWN
from suite.cli.main import build_parser
from suite.cli.reference import EXIT_CODES, TIER_MEANINGS, VERDICTS, page
from suite.core.records import TIERS, VerdictKind


def test_the_committed_page_is_what_the_generator_prints():
    """If it is not: `python -m suite.cli.reference > docs/reference.md`."""
    assert PAGES["docs/reference.md"] == page()


def test_every_code_verdict_and_tier_has_a_meaning():
    """And none that is not there."""
    assert set(KNOWN) == set(EXIT_CODES)
    assert set(VerdictKind) == set(VERDICTS)
    assert set(TIERS) == set(TIER_MEANINGS)


def test_every_command_and_every_option_of_bench_is_listed():
    """Read from the parser itself."""
    choices = next(action.choices for action in build_parser()._actions if action.dest == "command")
    for name in choices:
        assert f"\n### suite {name}\n" in page()
    section = page().partition("\n### suite bench\n")[2].partition("\n### ")[0]
    assert [] == [option for option in choices["bench"].options() if option != "--help" and f"`{option}" not in section]
