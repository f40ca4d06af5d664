#!/usr/bin/env python3
"""Builds the wheel: the Python files and the library, for every Python 3.9 and newer on this platform.

    build_wheel.py [--library FILE] [--directory DIR]

Nothing but the standard library is needed. The tag says what the library really needs: manylinux_2_X when it links to
nothing but glibc 2.X and its companions, as auditwheel would find, else plain linux. It is a PEP 517 backend as well,
so that `pip install bindings/python` works in a tree where `make lib` was run.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import re
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
PACKAGE = HERE / "milena"

# What every manylinux system has (PEP 600), as far as a Rust library would want it.
COMPANIONS = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1",
              "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1")  # fmt: skip
OLDEST_GLIBC = (2, 17)


def version() -> str:
    """The version in Cargo.toml, which the Python files must have been generated for."""
    manifest = (TREE / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([\d.]+)"', manifest, re.M)
    number = re.search(r"^MILENA_VERSION_NUMBER = (\d+)$", (PACKAGE / "_ffi.py").read_text(encoding="utf-8"), re.M)
    if not found or not number:
        sys.exit("build_wheel.py: no version in Cargo.toml or _ffi.py")
    packed = int(number[1])
    if found[1] != f"{packed >> 16 & 255}.{packed >> 8 & 255}.{packed & 255}":
        sys.exit(f"build_wheel.py: _ffi.py was not made for version {found[1]}; run generate_ffi.py")
    return found[1]


def needs(library: Path) -> Tuple[List[str], List[Tuple[int, ...]]]:
    """The libraries that an ELF file is linked to, and the versions of glibc whose symbols it wants."""
    data = library.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"build_wheel.py: {library} is not a 64-bit little-endian ELF file")
    (sections_at,) = struct.unpack_from("<Q", data, 40)
    entry, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, sections_at + i * entry) for i in range(count)]
    linked: List[str] = []
    versions: List[Tuple[int, ...]] = []

    def text(section: int, place: int) -> str:
        begin = sections[section][4] + place
        return data[begin : data.index(b"\0", begin)].decode()

    for _, kind, _, _, offset, size, link, info, _, _ in sections:
        if kind == 6:  # SHT_DYNAMIC
            for tag, value in struct.iter_unpack("<QQ", data[offset : offset + size]):
                if tag == 1:  # DT_NEEDED
                    linked.append(text(link, value))
        elif kind == 0x6FFFFFFE:  # SHT_GNU_verneed
            at = offset
            for _ in range(info):
                _, entries, _, aux, following = struct.unpack_from("<HHIII", data, at)
                where = at + aux
                for _ in range(entries):
                    _, _, _, name, step = struct.unpack_from("<IHHII", data, where)
                    match = re.fullmatch(r"GLIBC_([\d.]+)", text(link, name))
                    if match:
                        versions.append(tuple(map(int, match[1].split("."))))
                    where += step
                at += following
    return linked, versions


def platform_tag(library: Path) -> str:
    """The platform part of the wheel's tag."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return f"macosx_11_0_{machine}"
    if sys.platform == "win32":
        return "win_amd64" if machine == "amd64" else f"win_{machine}"
    linked, versions = needs(library)
    foreign = [name for name in linked if name not in COMPANIONS]
    if foreign or not versions:
        return f"linux_{machine}"
    newest = max([v[:2] for v in versions] + [OLDEST_GLIBC])
    return f"manylinux_{newest[0]}_{newest[1]}_{machine}"


def metadata(number: str) -> str:
    """The METADATA file."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    return (
        f"Metadata-Version: 2.1\nName: milena\nVersion: {number}\n"
        "Summary: An Apache Kafka client: producer, consumer, admin client, embedded cluster\n"
        "License: Apache-2.0\nRequires-Python: >=3.9\n"
        "Classifier: Programming Language :: Python :: 3\nClassifier: Typing :: Typed\n"
        f"Description-Content-Type: text/markdown\n\n{readme}"
    )


def library_in(tree: Path) -> Path:
    """The library that `make lib` built."""
    name = {"darwin": "libmilena.dylib", "win32": "milena.dll"}.get(sys.platform, "libmilena.so")
    return tree / "build" / "lib" / name


def build(directory: Path, library: Optional[Path] = None) -> Path:
    """Writes the wheel; its path."""
    library = library or library_in(TREE)
    if not library.is_file():
        sys.exit(f"build_wheel.py: there is no {library}; run `make lib`")
    number = version()
    tag = f"py3-none-{platform_tag(library)}"
    info = f"milena-{number}.dist-info"
    files: Dict[str, bytes] = {f"milena/{p.name}": p.read_bytes() for p in sorted(PACKAGE.glob("*.py"))}
    files["milena/py.typed"] = b""
    files[f"milena/_lib/{library_in(TREE).name}"] = library.read_bytes()  # the name that the loader looks for
    files[f"{info}/METADATA"] = metadata(number).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: build_wheel.py\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    license_file = TREE / "LICENSE"
    if license_file.is_file():
        files[f"{info}/LICENSE"] = license_file.read_bytes()
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    directory.mkdir(parents=True, exist_ok=True)
    wheel = directory / f"milena-{number}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # A fixed time: the same files give the same wheel.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if "/_lib/" in name else 0o644) << 16
            archive.writestr(entry, data)
    return wheel


def digest(data: bytes) -> str:
    """A hash as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


# PEP 517
def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """For pip: builds the wheel; its name."""
    named = os.environ.get("MILENA_LIBRARY")
    return build(Path(wheel_directory), Path(named) if named else None).name


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """For pip: there is no source distribution of the Python files alone."""
    raise NotImplementedError("build the wheel from a source tree of Milena: make wheel")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--library", type=Path, help="default: build/lib/libmilena.so, which make lib builds")
    ap.add_argument("--directory", type=Path, default=HERE / "dist")
    a = ap.parse_args()
    print(build(a.directory, a.library))


if __name__ == "__main__":
    main()
