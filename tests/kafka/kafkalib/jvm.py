"""How Java is called: flags, logging and the class data archive."""

import hashlib
import os

from . import jars, versions

LOG4J = """log4j.rootLogger={level}, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
"""


def archive_path(version):
    """Where the class data archive for this version on this JDK is kept."""
    java = os.path.realpath(jars.program("java"))
    jdk = hashlib.sha256(f"{java} {os.stat(java).st_mtime_ns}".encode()).hexdigest()[:12]
    return jars.cache_dir(version) / f"cds-{jdk}.jsa"


def _logging(version, level):
    if versions.parts(version) >= (4, 0):
        return [f"-Dorg.slf4j.simpleLogger.defaultLogLevel={level}", "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
    conf = jars.cache_dir(version) / f"log4j-{level}.properties"
    if not conf.exists():
        conf.write_text(LOG4J.format(level=level.upper()))
    return [f"-Dlog4j.configuration=file:{conf}"]


def command(version, main, *args, heap="256m", perf=False, level="warn", record_archive=None, extra_classes=None):
    """The command line that runs a main class with the version's jars.

    By default tuned for a quick start and little memory; `perf` is for measuring speed: full JIT, G1, a large heap.
    `record_archive` makes the JVM write a class data archive to that file when it ends by SIGTERM.
    """
    flags = [jars.program("java"), f"-Xmx{heap}", "-Djava.awt.headless=true", "-XX:-UsePerfData",
             "-Djava.net.preferIPv4Stack=true"]
    flags += ["-Xms256m", "-XX:+UseG1GC"] if perf else ["-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    archive = archive_path(version)
    if record_archive:
        flags.append(f"-XX:ArchiveClassesAtExit={record_archive}")
    elif not perf and archive.exists():
        flags += [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    flags += _logging(version, level)
    if not versions.is_kraft(version):
        flags += ["-Dzookeeper.jmx.log4j.disable=true", "-Dzookeeper.admin.enableServer=false",
                  "-Dzookeeper.forceSync=no"]
    classes = jars.classpath(version) + (f":{extra_classes}" if extra_classes else "")
    return flags + ["-cp", classes, main] + [str(x) for x in args]
