"""Request fields and their strict check. A table of fields is a model's schema at one provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .refusal import Refused


@dataclass(frozen=True)
class Source:
    """A picture as it was sent: which part it plays (image, subject, scene, style), the field, and its URL or
    Base64."""

    role: str
    field: str
    text: str


@dataclass(frozen=True)
class Asked:
    """A body that passed: values under the painter's names, and the pictures in order."""

    values: Mapping[str, Any]
    sources: tuple[Source, ...]

    def has(self, role: str) -> bool:
        return any(source.role == role for source in self.sources)


@dataclass(frozen=True, kw_only=True)
class Field:
    """``means`` is the painter's name for the value; without one it is checked and otherwise ignored."""

    name: str
    means: str = ""
    required: bool = False
    default: Any = None

    def wrong(self, why: str) -> Refused:
        return Refused(400, f"{self.name}: {why}")

    def read(self, value: Any) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    least: int = 0
    most: int = 2500

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(f"must be a string, not {_kind(value)}")
        if not self.least <= len(value) <= self.most:
            raise self.wrong(f"must have {self.least} to {self.most} characters, not {len(value)}")
        return value


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    options: tuple[str, ...]

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(f"must be a string, not {_kind(value)}")
        if value not in self.options:
            raise self.wrong(f"must be one of {', '.join(self.options)}, not {value!r}")
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A JSON number in ``low`` … ``high``; a number in quotes is refused."""

    low: float = 0
    high: float = 1

    def read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(f"must be a number, not {_kind(value)}")
        if not self.low <= value <= self.high:
            raise self.wrong(f"must be {self.low:g} to {self.high:g}, not {value!r}")
        return value


@dataclass(frozen=True, kw_only=True)
class Whole(Number):
    low: float = 1
    high: float = 9
    default: Any = 1

    def read(self, value: Any) -> int:
        if isinstance(value, float):
            raise self.wrong(f"must be an integer, not {value!r}")
        return int(super().read(value))


@dataclass(frozen=True, kw_only=True)
class Picture(Field):
    """One picture as URL or Base64, whatever the dialect takes."""

    role: str = "image"

    def read(self, value: Any) -> tuple[Source, ...]:
        if not isinstance(value, str) or not value:
            raise self.wrong(f"must be a string that is not empty, not {_kind(value)}")
        return (Source(self.role, self.name, value),)


@dataclass(frozen=True, kw_only=True)
class Pictures(Field):
    """A list of pictures: strings, or objects with the one key ``item`` where the page shows that."""

    role: str = "image"
    most: int = 10
    item: str = ""

    def read(self, value: Any) -> tuple[Source, ...]:
        if not isinstance(value, list):
            raise self.wrong(f"must be an array, not {_kind(value)}")
        if not 1 <= len(value) <= self.most:
            raise self.wrong(f"must have 1 to {self.most} items, not {len(value)}")
        return tuple(self._one(index, entry) for index, entry in enumerate(value))

    def _one(self, index: int, entry: Any) -> Source:
        if self.item:
            if not isinstance(entry, dict) or set(entry) != {self.item}:
                raise self.wrong(f"item {index} must be an object with the one field {self.item}")
            entry = entry[self.item]
        if not isinstance(entry, str) or not entry:
            raise self.wrong(f"item {index} must be a string that is not empty, not {_kind(entry)}")
        return Source(self.role, f"{self.name}[{index}]", entry)


def check(schema: Sequence[Field], body: Mapping[str, Any]) -> Asked:
    """Reads ``body`` by ``schema``; raises Refused (400) for the first thing that does not fit."""
    unknown = set(body) - {f.name for f in schema}
    if unknown:
        raise Refused(400, f"{min(unknown)}: unknown field")
    values: dict[str, Any] = {}
    sources: list[Source] = []
    for known in schema:
        if known.name not in body:
            if known.required:
                raise known.wrong("is required")
            value = known.default
        else:
            value = known.read(body[known.name])
        if isinstance(known, (Picture, Pictures)):
            sources.extend(value or ())
        elif known.means and value is not None:
            values[known.means] = value
    return Asked(values, tuple(sources))


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
