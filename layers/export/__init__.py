"""Rows become a file: what to select, in which words and coordinates, and one writer per format.

>>> from layers.export import ExportError, Exported, export
"""

from layers.export.exporting import FORMATS, Exported, export, stream
from layers.export.selection import Selection
from layers.export.table import ExportError, Language

__all__ = ["FORMATS", "ExportError", "Exported", "Language", "Selection", "export", "stream"]
