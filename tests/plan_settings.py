"""How many examples the properties of plans try: few by default, 500 with HYPOTHESIS_PROFILE=ci."""

import os

from hypothesis import settings

EXAMPLES = settings(max_examples=500 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 20)
