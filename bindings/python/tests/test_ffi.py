"""The border: what is generated from the header, and finding the library."""

import ctypes
import os
import re
import subprocess
import sys

import pytest
from conftest import BINDING, start

import milena
from milena import _ffi, _load

HEADER = BINDING.parent.parent / "include" / "milena.h"


def test_the_generated_files_are_those_of_the_header():
    subprocess.run([sys.executable, str(BINDING / "generate_ffi.py"), "--check"], check=True)


def test_every_export_is_bound():
    code = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    declared = set(re.findall(r"\b(milena_\w+)\s*\(", code))
    assert declared == set(_ffi.FUNCTIONS)


def test_structs_have_the_size_that_c_gives_them(tmp_path):
    names = [n for n in vars(_ffi) if n.startswith("milena_") and n != "milena_bytes_in"]
    lines = "\n".join(f'printf("{n} %zu\\n", sizeof({n}));' for n in names)
    source = tmp_path / "sizes.c"
    source.write_text(f"#include <milena.h>\n#include <stdio.h>\nint main(void) {{\n{lines}\nreturn 0; }}\n")
    program = tmp_path / "sizes"
    subprocess.run(["cc", "-I", str(HEADER.parent), "-o", str(program), str(source)], check=True)
    sizes = dict(line.split() for line in subprocess.check_output([str(program)], text=True).splitlines())
    assert sizes == {n: str(ctypes.sizeof(getattr(_ffi, n))) for n in names}


def test_versions():
    assert milena.library_version().startswith(f"milena/{milena.__version__} ")
    wanted = _ffi.MILENA_VERSION_NUMBER
    assert _load.compatible(wanted) and _load.compatible(wanted + 1)
    assert not _load.compatible(wanted - 1) and not _load.compatible(wanted + 0x10000)
    assert not _load.compatible(wanted + 0x100), "before 1.0, minor versions may differ"


@pytest.mark.parametrize("content", [None, b"no library"])
def test_a_library_that_can_not_be_loaded(tmp_path, content):
    path = tmp_path / "libmilena.so"
    if content is not None:
        path.write_bytes(content)
    environment = {**os.environ, "MILENA_LIBRARY": str(path), "PYTHONPATH": str(BINDING)}
    done = subprocess.run([sys.executable, "-c", "import milena"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: the library of Milena could not be loaded; tried:" in done.stderr
    assert str(path) in done.stderr and "make lib" in done.stderr


def test_a_library_of_another_version(tmp_path):
    source = tmp_path / "other.c"
    source.write_text("unsigned milena_version_number(void) { return 0x050000; }\n")
    library = tmp_path / "libmilena.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    environment = {**os.environ, "MILENA_LIBRARY": str(library), "PYTHONPATH": str(BINDING)}
    done = subprocess.run([sys.executable, "-c", "import milena"], env=environment, capture_output=True, text=True)
    assert "has version 5.0.0" in done.stderr


def test_the_types_hold():
    if subprocess.run([sys.executable, "-m", "mypy", "--version"], capture_output=True).returncode:
        pytest.skip("mypy is not installed")
    programs = ["milena", "generate_ffi.py", "build_wheel.py"]
    done = subprocess.run([sys.executable, "-m", "mypy", *programs], cwd=BINDING, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_files_are_python_3_9():
    import ast

    for path in [*BINDING.glob("*.py"), *BINDING.glob("*/*.py")]:
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_everything_public_is_documented():
    for name in milena.__all__:
        thing = getattr(milena, name)
        assert name == "__version__" or name == "ALWAYS" or thing.__doc__, name
        for attribute, value in vars(thing).items() if isinstance(thing, type) else ():
            if not attribute.startswith("_") and callable(value):
                assert value.__doc__, f"{name}.{attribute}"


def test_importing_starts_nothing():
    program = "import threading, milena; print(threading.active_count(), len(__import__('os').listdir('/proc/self/task')))"
    out, _ = start(program).communicate(timeout=30)
    assert out.split() == ["1", "1"]
