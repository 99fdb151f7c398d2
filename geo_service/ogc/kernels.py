"""Compiled functions that a request would wait for: made ready in the background, used later.

Importing what compiles takes a second, and compiling, where nothing is kept yet, ten. Until then
the database does the same work, more slowly, and with the same bytes.
"""

import importlib
import logging
import threading
from typing import Any, Protocol, cast

_log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()


class Compiled(Protocol):
    """A module of compiled functions."""

    def warm(self) -> None:
        """Compile them, or take them from the cache."""


class Kernel:
    """A module of compiled functions, by name; ``get`` has it made ready when first asked."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._ready: Any = None
        self._started = threading.Event()

    def get(self) -> Any:
        """Return the module, or None as long as it is not ready; never wait."""
        if self._ready is None and not self._started.is_set():
            self._started.set()
            threading.Thread(target=self.wait, name=self._module, daemon=True).start()
        return self._ready

    def wait(self) -> Any:
        """Return the module, once it is ready; None where it cannot be."""
        self._started.set()
        with _one_at_a_time:
            if self._ready is None:
                try:
                    module = cast("Compiled", importlib.import_module(self._module))
                    module.warm()
                except Exception:  # noqa: BLE001 - whatever it is, the database does the work
                    _log.warning("%s cannot be used", self._module, exc_info=True)
                    return None
                self._ready = module
        return self._ready


GEOJSON = Kernel("geo_service.ogc.geojson_kernel")
TILES = Kernel("geo_service.ogc.tile_kernel")
