"""The kinds of input a node has, each with its range, default and check.

A limit stands here or in a row of `operations`/`models`, and nowhere else: widgets, checks, the README
tables and `GET /kling/catalog` are all made from these values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError

Value = str | int | float


@dataclass(frozen=True)
class Text:
    """A prompt. `longest` in characters; `required` refuses one that is empty or only white space."""

    name: str
    tooltip: str
    required: bool = False
    longest: int = 2500
    default: str = ""

    def check(self, value: object) -> str:
        if not isinstance(value, str) or (self.required and not value.strip()):
            length = f"1 to {self.longest}" if self.required else f"at most {self.longest}"
            raise InputError(wrong(self.name, value, f"a text of {length} characters"))
        if len(value) > self.longest:
            raise InputError(
                f"{self.name} has {len(value)} characters; at most {self.longest} are allowed. "
                "Nothing was sent and nothing was paid: shorten it and run again."
            )
        # Neither can be stored: half of a surrogate pair has no UTF-8, PostgreSQL has no NUL.
        if broken := re.search("[\0\ud800-\udfff]", value):
            raise InputError(
                f"{self.name} has the broken character U+{ord(broken[0]):04X} at place {broken.start() + 1}. "
                "Nothing was sent and nothing was paid: take it out and run again."
            )
        return value


@dataclass(frozen=True)
class Choice:
    """One of `options`."""

    name: str
    tooltip: str
    options: tuple[str, ...]
    default: str

    def check(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise InputError(wrong(self.name, value, one_of(self.options)))
        return value


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, both allowed. `whole` numbers are ints."""

    name: str
    tooltip: str
    low: float
    high: float
    default: float
    step: float = 0.01
    whole: bool = False

    def check(self, value: object) -> int | float:
        wanted = f"a {'whole ' if self.whole else ''}number from {self.low} to {self.high}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(wrong(self.name, value, wanted))
        # NaN is not within any range.
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise InputError(wrong(self.name, value, wanted))
        # Adding 0.0 makes -0.0 the same value as 0.0, also in an identity.
        return int(value) if self.whole else value + 0.0


Field = Text | Choice | Number


@dataclass(frozen=True)
class Pictures:
    """One role that pictures play: `image`, or the sockets `image_1` … `image_10`.

    A socket with `each_is_a_task` turns a batch of B pictures into B tasks; one with `numbered`
    sockets takes `at_most` references, batches opened; any other takes exactly one picture.
    """

    name: str
    tooltip: str
    at_least: int = 0
    at_most: int = 1
    numbered: bool = False
    each_is_a_task: bool = False

    @property
    def sockets(self) -> tuple[str, ...]:
        if not self.numbered:
            return (self.name,)
        return tuple(f"{self.name}_{number}" for number in range(1, self.at_most + 1))

    @property
    def required_sockets(self) -> tuple[str, ...]:
        return self.sockets[: self.at_least]


def is_default(field: Field, value: Value) -> bool:
    """Whether the user left this field as it was."""
    return value == field.default


def check_all(fields: tuple[Field, ...], given: Mapping[str, object]) -> dict[str, Value]:
    """`given` with defaults filled in, every value checked. Raises InputError on the first wrong one."""
    return {field.name: field.check(given.get(field.name, field.default)) for field in fields}


def one_of(options: tuple[str, ...]) -> str:
    """What `wrong` says is wanted where only these are allowed."""
    return ("one of " if len(options) > 1 else "") + ", ".join(options)


def wrong(name: str, value: object, wanted: str) -> str:
    """The message for a value that is not allowed; a long value is cut."""
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    return f"{name} is {shown}; it must be {wanted}. Nothing was sent and nothing was paid."
