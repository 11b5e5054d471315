"""Everything this pack raises on purpose.

KlingError
├── InputError        a value or picture is not allowed; nothing was sent, nothing was paid
├── SetupError        a key, a setting or the ledger is missing or broken; nothing was paid
├── RefusedError      the provider turned the task down; nothing was created, nothing was paid
├── FailedError       the provider took the task and could not finish it
├── UncertainError    the answer to a paid request was lost: it may or may not have been created
├── UnreadError       the provider says done, but its answer or picture cannot be read; it is kept
└── UnfinishedError   the task is still with the provider; it goes on and can be collected

Each message says what happened, what was or was not paid, and what to do next, in one paragraph
without secrets or signed links.
"""

from __future__ import annotations


class KlingError(Exception):
    """Base of the pack's errors. `handle` names the task (`provider:id`) where there is one."""

    def __init__(self, message: str, handle: str | None = None) -> None:
        super().__init__(message)
        self.handle = handle


class InputError(KlingError):
    """A value or picture is not allowed. Raised before anything is sent."""


class SetupError(KlingError):
    """A key, setting, budget or the ledger stands in the way. Raised before anything is paid."""


class RefusedError(KlingError):
    """The provider refused to create the task. Nothing was paid."""


class FailedError(KlingError):
    """The provider accepted the task and ended it without a picture, or it was cancelled."""


class UncertainError(KlingError):
    """The answer to a paid request was lost; the request is never repeated on its own."""


class UnreadError(KlingError):
    """A finished task whose answer or picture cannot be read. The bytes are kept."""


class UnfinishedError(KlingError):
    """The task is still running at the provider and will be collected later."""


# ComfyUI reports an error's type with its module. The real module name holds the folder the pack was
# cloned into, so scripts that read /history would see another name on every machine.
for _kind in (KlingError, *KlingError.__subclasses__()):
    _kind.__module__ = "kling"
