"""``python -m runbook.docs``: writes the pages that are made from the code."""

from __future__ import annotations

from runbook.docs import write_pages

if __name__ == "__main__":
    print("\n".join(f"docs/{name}: written" for name in write_pages()) or "Every page is what the code gives.")
