"""The pages of the documentation and the blocks that stand between fences in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: ``kind`` is what follows the fence, like ``python own_model``."""

    page: str
    kind: str
    text: str

    def __str__(self):
        return f"{self.page}: {self.kind}: {self.text.splitlines()[0]}"


def pages():
    """Every page by its path from the root."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found}


PAGES = pages()
BLOCKS = [Block(page, kind, text) for page, whole in PAGES.items() for kind, text in FENCED.findall(whole)]


def prose(text):
    """A page without its blocks."""
    return FENCED.sub("", text)
