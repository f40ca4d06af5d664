"""The jars of a Kafka version: fetched once by Maven into a cache that all work trees of a user share.

    <cache>/<version>/libs/*.jar      the jars
    <cache>/<version>/java-*/         the classes of ../java, compiled against these jars
    <cache>/<version>/formatted/      what Kafka's storage format tool writes (see cluster.py)
    <cache>/<version>/cds-*.jsa       class data archive: halves the start of a JVM (see cluster.py)
    <cache>/<version>/*.lock          held while one of these is made
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from . import versions
from .errors import KafkaFailed, MissingTool

JAVA_SOURCES = Path(__file__).resolve().parent.parent / "java"


def cache_dir(version):
    """The folder that keeps what belongs to a version."""
    root = os.environ.get("MILENA_KAFKA_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "milena-kafka") / version


def program(name):
    """Path of java, javac or mvn; JAVA_HOME goes before PATH."""
    home = os.environ.get("JAVA_HOME")
    if home and name != "mvn" and os.access(Path(home, "bin", name), os.X_OK):
        return str(Path(home, "bin", name))
    found = shutil.which(name)
    if not found:
        raise MissingTool(f"{name} is not installed (a JDK 17 and Maven are needed to run a real Kafka)")
    return found


def run(command, **kw):
    """Run to the end and return the output; a failure carries the command and the end of what it printed."""
    done = subprocess.run([str(x) for x in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, **kw)
    if done.returncode:
        line = " ".join(str(x) for x in command)
        raise KafkaFailed(f"{line[:300]}: exit code {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


@contextlib.contextmanager
def locked(version, what):
    """Only one process at a time makes the named thing in a version's folder."""
    cache_dir(version).mkdir(parents=True, exist_ok=True)
    with open(cache_dir(version) / f"{what}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(version):
    """The folder of the version's jars, after fetching them when they are not there."""
    libs = cache_dir(version) / "libs"
    if libs.exists():
        return libs
    program("java")
    maven = program("mvn")
    with locked(version, "libs"):
        if libs.exists():
            return libs
        work = cache_dir(version) / "fetch"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        needs = "".join(
            f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version></dependency>"
            for g, a, v in versions.artifacts(version))
        (work / "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>milena</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
            f"<dependencies>{needs}</dependencies></project>")
        run([maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work}/libs",
             "-DincludeScope=runtime"], cwd=work)
        (work / "libs").rename(libs)
        shutil.rmtree(work)
    return libs


def classpath(version):
    """The jars as java wants them; sorted, because a class data archive is only valid for one order."""
    return ":".join(sorted(str(x) for x in fetch(version).glob("*.jar")))


def compiled(version):
    """The folder of the interop programs' classes, compiled against the version's kafka-clients."""
    sources = sorted(JAVA_SOURCES.glob("*.java"))
    digest = hashlib.sha256(b"".join(x.read_bytes() for x in sources)).hexdigest()[:12]
    out = cache_dir(version) / f"java-{digest}"
    libs = classpath(version)
    with locked(version, "java"):
        if not out.exists():
            work = cache_dir(version) / "javac"
            shutil.rmtree(work, ignore_errors=True)
            run([program("javac"), "-nowarn", "-d", work, "-cp", libs] + sources)
            work.rename(out)
    return out
