"""The report: one static page a run and a list of runs, derived from the evidence at any time, evidence itself never."""

from runbook.report.page import write_report
from runbook.report.runs import write_list

__all__ = ["write_list", "write_report"]
