"""Drills: every incident of the old pipeline, injected into a small warehouse, caught by the ordinary steps, repaired.

``cases/<id>.toml`` is a drill; the files are discovered, so a drill is listed nowhere else. A drill knows its fault and
nothing of the checks: what catches it is whatever the ordinary steps say.
"""
