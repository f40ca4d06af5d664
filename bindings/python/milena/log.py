"""The library's log in Python's: with ``log.sink=poll`` the lines of a client go to :mod:`logging`, to the logger
"milena" and its children by context ("milena.broker", "milena.cgrp" …), whenever the client is polled. Without it the
library writes them to stderr.
"""

from __future__ import annotations

import logging
from ctypes import byref, c_size_t
from typing import Any, Optional

from . import _ffi
from ._load import lib
from ._native import call_out, rows

_LEVELS = {
    _ffi.MILENA_LOG_ERROR: logging.ERROR,
    _ffi.MILENA_LOG_WARNING: logging.WARNING,
    _ffi.MILENA_LOG_INFO: logging.INFO,
    _ffi.MILENA_LOG_DEBUG: logging.DEBUG,
}


def forward(take: Any, handle: Optional[int]) -> None:
    """Takes a client's log lines (`take` is its milena_…_log) and logs them."""
    lines = call_out(take, handle)
    if lines is None:
        return
    try:
        count, stride = c_size_t(), c_size_t()
        first = lib.milena_log_lines(lines, byref(count), byref(stride))
        for line in rows(first, count.value, stride.value, _ffi.milena_log_line):
            logger = logging.getLogger("milena." + line.context.decode())
            level = _LEVELS.get(line.level, logging.DEBUG)
            logger.log(level, "%s: %s", line.client_id.decode(), line.text.decode("utf-8", "replace"))
    finally:
        lib.milena_log_free(lines)
