"""Is the environment that of the lock?"""

from __future__ import annotations

from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lib.settings import ROOT
from lib.verdicts import AMBER, Finding, Verdict, verdict_of

LOCK = ROOT / "requirements.lock"
MEND = "python -m pip install -r requirements.lock"


def environment_verdict() -> Verdict:
    """Amber for every package that is missing or of another version than ``requirements.lock`` says."""
    if not LOCK.is_file():
        return verdict_of("environment", "", [Finding(AMBER, LOCK.name, "there is no lock to compare with")])
    lines = [line.strip() for line in LOCK.read_text().splitlines() if line.strip() and not line.startswith("#")]
    wanted = [need for need in map(Requirement, lines) if need.marker is None or need.marker.evaluate()]
    held = {canonicalize_name(found.metadata["Name"]): found.version for found in distributions()}
    findings = [
        Finding(AMBER, need.name, f"{version or 'not installed'}, the lock says {str(need.specifier)[2:]}", MEND)
        for need in wanted
        if (version := held.get(canonicalize_name(need.name))) is None or not need.specifier.contains(version, True)
    ]
    return verdict_of(
        "environment", f"{len(wanted) - len(findings)} of {len(wanted)} packages are as locked.", findings
    )
