"""One page of one or several runs: a single file that opens without a network, for a browser, a phone or paper.

`suite.report.page.document` puts it together. Sections that everybody needs (headline, verdicts, support,
provenance) are plain HTML; the modules in ``assets`` draw tables and plots from packed columns
(`suite.report.page.packing`).
"""

from suite.report.page.document import PAGE, render, try_writing, write
from suite.report.page.run_content import RunContent

__all__ = ["PAGE", "RunContent", "render", "try_writing", "write"]
