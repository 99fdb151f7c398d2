"""Hot spots: seconds and memory of each analysis, beside others' where there are any.

``python -m tests.benchmarks.hotspots`` runs every case, ``… hotspots gi-star density`` those named.
"""

from tests.benchmarks import hotspots_planted, hotspots_query, hotspots_space, hotspots_time
from tests.benchmarks.cases import main

MODULES = (hotspots_space, hotspots_time, hotspots_query, hotspots_planted)
"""What puts its cases into the registry when it is imported."""

if __name__ == "__main__":
    main("Time the hot spot analyses.")
