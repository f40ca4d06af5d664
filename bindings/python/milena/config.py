"""Configurations: Java's property names (or librdkafka's), from a mapping, from a .properties file, or both."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from ._load import lib
from ._native import call

Value = Union[str, int, float, bool, List[str], Tuple[str, ...]]
Path = Union[str, "os.PathLike[str]"]


class NativeConfig:
    """A configuration in the library, for the length of a ``with`` block."""

    def __init__(self, properties: Optional[Mapping[str, Value]], file: Optional[Path]) -> None:
        self.handle = lib.milena_config_new()
        if not self.handle:
            raise MemoryError("no memory for a configuration")
        try:
            if file is not None:
                call(lib.milena_config_load_file, self.handle, os.fsencode(file))
            if properties is not None and not isinstance(properties, Mapping):
                raise TypeError(f"a mapping of properties is expected, not {type(properties).__name__}")
            for name, value in (properties or {}).items():
                call(lib.milena_config_set, self.handle, _c_string(name, name), _c_string(name, as_text(name, value)))
        except BaseException:
            self.__exit__()
            raise

    def get(self, name: str) -> Optional[str]:
        """What was set under exactly this name."""
        value = lib.milena_config_get(self.handle, name.encode())
        return None if value is None else value.decode()

    def __enter__(self) -> NativeConfig:
        return self

    def __exit__(self, *_: object) -> None:
        lib.milena_config_free(self.handle)
        self.handle = None


def as_text(name: str, value: Value) -> str:
    """A value as a .properties file has it: true and false, lists with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    raise TypeError(f"{name}: a property can't be a {type(value).__name__}; it is text, a number, a bool or a list")


def _c_string(name: str, text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"the name of a property is a str, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError(f"{name!r}: a property can't have a zero character")
    return text.encode()


def config_table() -> List[Dict[str, Any]]:
    """All properties that the library knows, one dict each: name, clients, type, default, range, importance, aliases,
    status ("implemented", "not yet" or "no effect") and doc."""
    table: List[Dict[str, Any]] = json.loads(lib.milena_config_table())
    return table
