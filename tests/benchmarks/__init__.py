"""Benchmarks: plain scripts that print ratios measured in one run; `python -m tests.benchmarks.speed` runs them all."""
