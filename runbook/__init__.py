"""The chain: plans steps, executes notebooks, verifies and archives them, signs and reports."""
