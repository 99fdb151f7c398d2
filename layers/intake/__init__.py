"""A file becomes rows: readers, headers, personal columns, coordinates, checks, load, report.

>>> from layers.intake import intake, Report
"""

from layers.intake.load import MAX_BYTES, intake
from layers.intake.report import Dropped, Problem, Report, Words

__all__ = ["MAX_BYTES", "Dropped", "Problem", "Report", "Words", "intake"]
