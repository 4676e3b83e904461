"""The scoring protocol: what a gate is worth on rows it was not fitted on; it reads rows and calls the product's own functions.

`python -m assent.evals.protocol --fit DIR --rows DIR` measures four things, each on a file that is skipped where it is absent:
guaranteed autonomy (`bfcl_agreement.jsonl`), finding wrong writes (`tau_writes.jsonl`), the gain of editing (`tau_runs.jsonl`), and
the monitor, which needs no file. What each number means, and how it came out: docs/evidence.md.
"""
