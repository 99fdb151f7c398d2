"""A sentence for a reader, in both languages of the service."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """The same sentence in Chinese and in English."""

    zh: str
    en: str
