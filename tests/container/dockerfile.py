"""What the container tests read: the instructions of a Dockerfile, and a .dockerignore."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its keyword, its options (``--from=x``), and the rest."""

    keyword: str
    options: dict[str, str]
    value: str

    @property
    def words(self) -> list[str]:
        """The words of the value, from its JSON form or as a shell would part them."""
        if self.value.startswith("["):
            return [str(word) for word in json.loads(self.value)]
        return shlex.split(self.value)

    @property
    def pairs(self) -> dict[str, str]:
        """The ``name=value`` words of ENV, LABEL and ARG; a bare name has an empty value."""
        return dict(word.partition("=")[::2] for word in self.words)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name (its number where it has none), base image and instructions."""

    name: str
    image: str
    instructions: tuple[Instruction, ...]

    def last(self, keyword: str) -> Instruction | None:
        """Return the instruction that holds in the end."""
        found = [item for item in self.instructions if item.keyword == keyword]
        return found[-1] if found else None


def stages(text: str) -> list[Stage]:
    """Parse a Dockerfile.

    >>> [stage.image for stage in stages("FROM a AS b\\nRUN x \\\\\\n  && y\\nFROM b")]
    ['a', 'b']
    """
    found: list[Stage] = []
    for item in _instructions(text):
        if item.keyword == "FROM":
            image, *rest = item.words
            found.append(Stage(rest[1] if rest else str(len(found)), image, ()))
        else:
            stage = found.pop()
            found.append(Stage(stage.name, stage.image, (*stage.instructions, item)))
    return found


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            keyword, value = line.strip().split(None, 1)
            options = {}
            while match := re.match(r"--([\w-]+)=(\S+)\s+", value):
                options[match[1]] = match[2]
                value = value[match.end() :]
            yield Instruction(keyword.upper(), options, value.strip())


def ignored(path: str, rules: str) -> bool:
    """Tell whether a .dockerignore with these ``rules`` keeps ``path`` out of the context.

    >>> ignored("a/b", "*\\n!a"), ignored("c", "*\\n!a"), ignored("a/x/b", "**/b")
    (False, True, True)
    """
    parts = PurePosixPath(path).parts
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    result = False
    for line in rules.splitlines():
        rule = line.strip().removeprefix("!").strip("/")
        if not rule or rule.startswith("#"):
            continue
        # "*" stands within one part of a path, "**/" for any number of parts.
        deep = rule.removeprefix("**/")
        places = above if deep == rule else [tail for part in above for tail in _tails(part)]
        depth = deep.count("/")
        if any(p.count("/") == depth and fnmatchcase(p, deep) for p in places):
            result = not line.strip().startswith("!")
    return result


def _tails(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def context(folder: Path) -> set[Path]:
    """Return the files of ``folder`` that a build may copy."""
    rules = (folder / ".dockerignore").read_text()
    tops = [path for path in folder.iterdir() if path.name not in {".git", "node_modules"}]
    return {
        path
        for top in tops
        if not top.name.startswith(".venv")
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file() and not ignored(path.relative_to(folder).as_posix(), rules)
    }
