"""The policy that a phase is not begun before the one below it is signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runbook.chain import Chain, ChainStep

SIGNED = ("COMPLETE", "COMPLETE WITH WAIVER")
ML = "ml"


def until_unsigned(chain: Chain, states: Mapping[str, str]) -> tuple[Chain, str]:
    """The chain up to the first phase that somebody must sign before the next one, and that phase; empty for none.

    *states* is by phase. A phase in which something is computed is unsigned whatever its state was before.
    """
    phases = list(dict.fromkeys(_phase(step) for step in chain.steps))
    for phase in phases[:-1]:
        steps = [step for step in chain.steps if _phase(step) == phase]
        if any(step.launch for step in steps) or states.get(phase) not in SIGNED:
            allowed = phases[: phases.index(phase) + 1]
            return replace(chain, steps=tuple(step for step in chain.steps if _phase(step) in allowed)), phase
    return chain, ""


def _phase(step: ChainStep) -> str:
    return str(step.parameters.get("phase", ML))
