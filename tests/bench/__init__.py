"""Side-by-side measurements: what the runbook does, beside the floor of the same work without it.

``python -m tests.bench`` prints ratios, each the median of several rounds of one run on one machine, and writes JSON.
"""
