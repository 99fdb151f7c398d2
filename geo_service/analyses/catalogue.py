"""Every analysis that can be asked for, by its id."""

from collections.abc import Mapping
from types import MappingProxyType

from geo_service.analyses.process import Process
from geo_service.coverage import catalogue as coverage
from geo_service.hotspots import catalogue as hotspots

PROCESSES: Mapping[str, Process] = MappingProxyType({**hotspots.PROCESSES, **coverage.PROCESSES})
