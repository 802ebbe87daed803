"""Predictions on disk against annotations on disk: the `evaluate` verb."""

from opendensepose.evaluate.measure_files import (
    Evaluation,
    evaluate_files,
    load_distances,
    write_json,
    write_report,
)

__all__ = ["Evaluation", "evaluate_files", "load_distances", "write_json", "write_report"]
