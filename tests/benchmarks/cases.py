"""A registry of timed cases: a name, what it should reach, and how it is measured."""

import argparse
import os
import platform
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MEGABYTE = 1e6


@dataclass(frozen=True)
class Case:
    """A case: ``run`` measures and returns lines to print."""

    name: str
    reach: str
    run: Callable[[], list[str]]


CASES: dict[str, Case] = {}


def case(
    name: str, reach: str = ""
) -> Callable[[Callable[[], list[str]]], Callable[[], list[str]]]:
    """Put a function into the registry under a name, with what it should reach."""

    def put(run: Callable[[], list[str]]) -> Callable[[], list[str]]:
        CASES[name] = Case(name, reach, run)
        return run

    return put


def seconds(call: Callable[[], Any], repeat: int = 3) -> float:
    """Return the least of several wall times: what the machine can do when it is left alone."""
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def warmed(name: str, call: Callable[[], Any]) -> str:
    """Return a line on how long the first call takes, with compiling or loading from a cache."""
    start = time.perf_counter()
    call()
    return (
        f"  first call of {name} (compiled, or from the cache): {time.perf_counter() - start:.2f} s"
    )


def peak(call: Callable[[], Any]) -> float:
    """Return the most memory a call held at once beyond its inputs, in MB, measured apart."""
    tracemalloc.start()
    call()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / MEGABYTE


def main(description: str) -> None:
    """Run the cases named on the command line, or all, and print what each measured."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    chosen = parser.parse_args().cases or list(CASES)
    unknown = [name for name in chosen if name not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start")
    for name in chosen:
        found = CASES[name]
        print(f"{name}{f' (reach: {found.reach})' if found.reach else ''}", flush=True)
        for line in found.run():
            print(line, flush=True)
