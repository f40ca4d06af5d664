#!/usr/bin/env python3
"""Makes milena/_ffi.py and milena/codes.py from include/milena.h.

    generate_ffi.py           writes them
    generate_ffi.py --check   exits 1 if they are not what the header says

The header is generated itself and regular, so a few patterns are enough of a C parser; what they don't understand is
an error, never left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

HERE = Path(__file__).resolve().parent
HEADER = HERE.parent.parent / "include" / "milena.h"

PRIMITIVES = {
    "bool": "c_bool", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64",
    "size_t": "c_size_t", "uint8_t": "c_uint8", "milena_status": "c_int32", "milena_fd": "c_ssize_t",
}  # fmt: skip
PREFIX = "MILENA_E_"


class Struct(NamedTuple):
    name: str
    fields: List[Tuple[str, str]]


class Function(NamedTuple):
    name: str
    result: str
    arguments: List[str]


class Header(NamedTuple):
    constants: Dict[str, int]
    docs: Dict[str, str]
    structs: List[Struct]
    functions: List[Function]


def parse(text: str) -> Header:
    docs = {name: flow(doc) for doc, name in re.findall(r"/\*\*((?:(?!\*/).)*?)\*/\s*#define (\w+) ", text, re.S)}
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    constants = {}
    for name, value in re.findall(r"^#define (\w+) (.+)$", code, re.M):
        if not value.startswith("{"):  # initializers are written by hand, where they are used
            constants[name] = int(value.strip("()"), 0)
    code = re.sub(r"^#.*$", "", code, flags=re.M).replace('extern "C" {', "")
    code = re.sub(r"^}\s*$", "", code, flags=re.M)
    structs: List[Struct] = []
    functions: List[Function] = []
    opaque: List[str] = []
    known: Dict[str, str] = {}
    for statement in statements(code):
        if match := re.fullmatch(r"typedef struct (\w+) \1", statement):
            opaque.append(match[1])
        elif match := re.fullmatch(r"typedef struct \{(.*)\} (\w+)", statement):
            fields = [field(f, known, opaque) for f in match[1].split(";") if f.strip()]
            structs.append(Struct(match[2], fields))
            known[match[2]] = match[2]
        elif match := re.fullmatch(r"typedef (\w+) (\w+)", statement):
            if match[2] not in PRIMITIVES:
                sys.exit(f"generate_ffi.py: add {match[2]} to PRIMITIVES")
        elif match := re.fullmatch(r"(.*?[\s*])(milena_\w+)\((.*)\)", statement):
            arguments = [] if match[3] == "void" else [a.strip() for a in match[3].split(",")]
            types = [argument(a.rsplit("*", 1)[0] + "*" if "*" in a else a.rsplit(" ", 1)[0], known, opaque)
                     for a in arguments]
            functions.append(Function(match[2], result(match[1].strip(), known, opaque), types))
        else:
            sys.exit(f"generate_ffi.py: can't read {statement!r}")
    return Header(constants, docs, structs, functions)


def flow(doc: str) -> str:
    return " ".join(line.strip().lstrip("*").strip() for line in doc.splitlines()).strip()


def statements(code: str) -> List[str]:
    """Splits at semicolons outside of braces."""
    found, depth, current = [], 0, ""
    for char in code:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == ";" and depth == 0:
            found.append(" ".join(current.split()))
            current = ""
        else:
            current += char
    if current.strip():
        sys.exit(f"generate_ffi.py: can't read {current!r}")
    return found


def field(text: str, known: Dict[str, str], opaque: List[str]) -> Tuple[str, str]:
    match = re.fullmatch(r"(.*?[\s*])(\w+)(?:\[(\d+)\])?", " ".join(text.split()))
    if not match:
        sys.exit(f"generate_ffi.py: can't read the member {text!r}")
    kind = match[1].strip()
    if kind.endswith("*"):
        base = kind[:-1].replace("const", "").strip()
        return match[2], "c_char_p" if base == "char" else "c_void_p"
    ctype = PRIMITIVES.get(kind) or known[kind]
    return match[2], f"{ctype} * {match[3]}" if match[3] else ctype


def argument(kind: str, known: Dict[str, str], opaque: List[str]) -> str:
    bare = kind.replace("const", "").strip()
    stars = bare.count("*")
    base = bare.rstrip("* ")
    if stars == 0:
        if base == "milena_bytes":
            return "milena_bytes_in"
        return PRIMITIVES.get(base) or known[base]
    if stars == 2:
        return "POINTER(c_void_p)"
    if base == "char":
        return "c_char_p"
    if base == "uint8_t" or base in opaque:
        return "c_void_p"
    return f"POINTER({PRIMITIVES.get(base) or known[base]})"


def result(kind: str, known: Dict[str, str], opaque: List[str]) -> str:
    if kind == "void":
        return "None"
    if kind.endswith("*"):
        return "c_char_p" if "char" in kind else "c_void_p"
    return PRIMITIVES.get(kind) or known[kind]


FFI_HEAD = '''"""The C library as ctypes sees it: constants, structs and signatures.

GENERATED from include/milena.h by generate_ffi.py: change it there. Pointers are numbers, 0 and None are NULL; what
each function does, and who owns what, stands in the header.
"""

from __future__ import annotations

from ctypes import (
    CDLL,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_ssize_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)

'''

BYTES_IN = '''
class milena_bytes_in(Structure):
    """As milena_bytes, for arguments: takes bytes, which it keeps alive."""

    _fields_ = [("data", c_char_p), ("len", c_size_t)]

'''

BIND = '''

def bind(lib: CDLL) -> None:
    """Gives each function of the library its types; AttributeError if one is missing."""
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments
'''


def ffi(header: Header) -> str:
    out = [FFI_HEAD]
    out += [f"{name} = {value}\n" for name, value in header.constants.items() if not name.startswith(PREFIX)]
    for struct in header.structs:
        out.append(f"\n\nclass {struct.name}(Structure):\n    _fields_ = [\n")
        out += [f'        ("{name}", {kind}),\n' for name, kind in struct.fields]
        out.append("    ]\n")
        if struct.name == "milena_bytes":
            out.append("\n" + BYTES_IN.rstrip("\n") + "\n")
    out.append("\n\nFUNCTIONS = {\n")
    for f in header.functions:
        arguments = ", ".join(f.arguments)
        line = f'    "{f.name}": ({f.result}, ({arguments}{"," if len(f.arguments) == 1 else ""})),\n'
        if len(line) > 121:
            rows = "".join(f"            {a},\n" for a in f.arguments)
            line = f'    "{f.name}": (\n        {f.result},\n        (\n{rows}        ),\n    ),\n'
        out.append(line)
    out.append("}\n")
    return "".join(out) + BIND


CODES_HEAD = '''"""The codes that errors have: Kafka's own as they are, and those of this library, which are -1000 and below.

GENERATED from include/milena.h by generate_ffi.py: change it there.
"""

from enum import IntEnum


class Code(IntEnum):
    """What :attr:`milena.KafkaError.code` can be; a newer broker may send numbers that are not in here."""

'''


def codes(header: Header) -> str:
    out = [CODES_HEAD]
    for name, value in header.constants.items():
        if name.startswith(PREFIX):
            out.append(f"    {name[len(PREFIX):]} = {value}\n")
            out.append(f'    """{header.docs[name]}"""\n')
    return "".join(out)


def main() -> None:
    header = parse(HEADER.read_text(encoding="utf-8"))
    wanted = {HERE / "milena" / "_ffi.py": ffi(header), HERE / "milena" / "codes.py": codes(header)}
    if sys.argv[1:] == ["--check"]:
        old = [p for p, text in wanted.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
        if old:
            sys.exit(f"not what include/milena.h says: {', '.join(map(str, old))}; run {Path(__file__).name}")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
