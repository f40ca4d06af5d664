"""What README and examples say works."""

import os
import re
import subprocess
import sys

import pytest
from conftest import BINDING

import milena

EXAMPLES = BINDING / "examples"


def test_the_readme(capsys):
    text = (BINDING / "README.md").read_text()
    snippets = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(snippets) >= 6
    with milena.EmbeddedCluster() as cluster:
        cluster.create_topic("letters", 1)
        names = {"__name__": "readme"}
        for snippet in snippets:
            code = snippet.replace("localhost:9092", cluster.bootstrap_servers)
            exec(compile(code, "README.md", "exec"), names)
    out = capsys.readouterr().out
    assert "(42, " in out and "Dear Milena" in out and "RecordMetadata" in out


def test_the_docstring_of_the_package():
    import doctest

    assert doctest.testmod(milena).failed == 0 and doctest.testmod(milena).attempted > 0


def example(name, *arguments, check=True):
    environment = {**os.environ, "PYTHONPATH": str(BINDING)}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, env=environment, check=check, capture_output=True, text=True, timeout=60).stdout


def test_the_demos(shared):
    servers = ["--bootstrap-servers", shared.bootstrap_servers]
    out = example("producer_demo.py", *servers, "--count", "5")
    assert out.count("Delivered: partition = ") == 5
    out = example("consumer_demo.py", *servers, "--count", "5")
    assert "assigned" in out and "'text': 'Message Hello 4'" in out


def test_the_demos_take_a_file(shared, tmp_path):
    file = tmp_path / "client.properties"
    file.write_text(f"bootstrap.servers={shared.bootstrap_servers}\ngroup.id=g\nauto.offset.reset=earliest\n")
    example("producer_demo.py", str(file), "--topic", "from-file", "--count", "1")
    assert "Message Hello 0" in example("consumer_demo.py", str(file), "--topic", "from-file", "--count", "1")


def test_asyncio_demo():
    assert "all 200 are delivered" in example("asyncio_demo.py", "--count", "200")


def test_embedded_test():
    environment = {**os.environ, "PYTHONPATH": str(BINDING)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / "embedded_test.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.py")))
def test_examples_say_what_they_are(name):
    assert (EXAMPLES / name).read_text().split('"""')[1].strip()
