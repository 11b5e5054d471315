"""`@Image1`, `@Image2` … in a prompt: which picture is meant, and how a provider spells it."""

from __future__ import annotations

import re

from ..errors import InputError

_NAME = re.compile(r"@image(\d*)(?![A-Za-z0-9_])", re.IGNORECASE)


def check_references(prompt: str, pictures: int, gap: str | None) -> None:
    """Raises InputError when `prompt` names a picture that is not there.

    `pictures` is how many are sent; `gap` is the empty socket before a connected one, if any.
    """
    names = list(_NAME.finditer(prompt))
    nothing = "Nothing was sent and nothing was paid"
    if names and gap is not None:
        raise InputError(
            f"prompt names {names[0][0]}, but {gap} is empty while a later socket is connected, so the "
            f"numbers would not match the sockets. {nothing}: connect the pictures without a gap."
        )
    for name in names:
        if not name[1] and pictures > 1:
            raise InputError(
                f"prompt names {name[0]}, which stands for a single picture, but {pictures} are connected. "
                f"{nothing}: write @Image1 to @Image{pictures}."
            )
        if not 1 <= int(name[1] or 1) <= pictures:
            raise InputError(f"prompt names {name[0]}, but {_there(pictures, nothing)}")


def _there(pictures: int, nothing: str) -> str:
    if not pictures:
        return f"no picture is sent with it. {nothing}: leave the name out."
    only = f"there are only @Image1 to @Image{pictures}" if pictures > 1 else "there is only @Image1"
    return f"{only}. {nothing}: correct the name or connect the picture."


def translate_references(prompt: str, spelling: str) -> str:
    """`prompt` with each name in a provider's `spelling`, such as `<<<image_{}>>>`."""
    return _NAME.sub(lambda name: spelling.format(int(name[1] or 1)), prompt)
