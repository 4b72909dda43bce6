"""``python -m lib.detached_launch TABLE PHASE URL FIRST LAST``: one launch that no kernel waits for.

Empty texts stand for open ends of the range.
"""

from __future__ import annotations

import sys

from lib.errors import RunbookError
from lib.garbage import look_seldom
from lib.step import open_step


def main() -> None:
    """Launches the table in this process; ends with the sentence of what went wrong."""
    look_seldom()
    table, phase, url, first, last = sys.argv[1:]
    try:
        open_step("20_launch", int(phase), url, first, last).launch(table)
    except RunbookError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
