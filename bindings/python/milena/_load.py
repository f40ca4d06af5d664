"""Finds and loads the C library.

In this order: the file that $MILENA_LIBRARY names (then no other is tried), the library inside the wheel, the one
built in the source tree that this file is part of, the one that the system finds.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from pathlib import Path
from typing import Iterator, List

from . import _ffi

if sys.platform == "darwin":
    _NAME, _SONAME = "libmilena.dylib", "libmilena.0.dylib"
elif sys.platform == "win32":
    _NAME = _SONAME = "milena.dll"
else:
    _NAME, _SONAME = "libmilena.so", "libmilena.so.0"

_HERE = Path(__file__).resolve().parent


def version_text(number: int) -> str:
    """0x00MMmmpp as "MM.mm.pp"."""
    return f"{number >> 16 & 0xFF}.{number >> 8 & 0xFF}.{number & 0xFF}"


def compatible(loaded: int) -> bool:
    """Whether a library of this version has what this package was written for: the same major version (before 1.0:
    the same minor, too), and not older."""
    wanted = _ffi.MILENA_VERSION_NUMBER
    same = 16 if wanted >> 16 else 8
    return loaded >> same == wanted >> same and loaded >= wanted


def _candidates() -> Iterator[str]:
    named = os.environ.get("MILENA_LIBRARY")
    if named:
        yield named
        return
    yield str(_HERE / "_lib" / _NAME)
    tree = _HERE.parent.parent.parent
    if (tree / "include" / "milena.h").is_file():
        yield str(tree / "build" / "lib" / _NAME)
    yield _SONAME
    found = ctypes.util.find_library("milena")
    if found:
        yield found


def load() -> ctypes.CDLL:
    """The library, with the types of its functions set. ImportError says what was tried."""
    tried: List[str] = []
    for path in _candidates():
        if os.path.dirname(path) and not os.path.exists(path):
            tried.append(f"{path}: no such file")
            continue
        try:
            library = ctypes.CDLL(path)
            library.milena_version_number.restype = ctypes.c_uint32
            version = library.milena_version_number()
            if not compatible(version):
                wanted = version_text(_ffi.MILENA_VERSION_NUMBER)
                tried.append(f"{path}: has version {version_text(version)}; {wanted} or a later one of its series is needed")
                continue
            _ffi.bind(library)
        except (OSError, AttributeError) as error:
            tried.append(f"{path}: {error}")
            continue
        return library
    lines = "".join(f"\n  {line}" for line in tried)
    raise ImportError(
        f"the library of Milena could not be loaded; tried:{lines}\n"
        "Install the wheel, or build it by `make lib` and name it: MILENA_LIBRARY=/path/to/" + _NAME
    )


lib = load()
