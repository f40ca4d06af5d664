"""The table: on stdout, in build/bench/results.md, and with all rounds in build/bench/results.json."""

import json
import os
import platform
import statistics
import time
from dataclasses import asdict
from pathlib import Path

from . import peers

HEAD = ["", "client", "value", "ratio", "gate", "aim", "", "records/s"]


def number(x):
    """Three digits, or all of what is in front of the point."""
    if x is None:
        return ""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def cells(figure):
    ratio = f"{figure.ratio:.2f} × {figure.against}" if figure.ratios else ""
    sign = "≤ " if figure.gate is not None else ""
    times = " ×" if figure.judged == "ratio" else ""
    return [figure.what, figure.client, f"{number(figure.value)} {figure.unit}", ratio,
            f"{sign}{number(figure.gate)}{times if sign else ''}", number(figure.aim), figure.verdict,
            number(statistics.median(figure.rates)) if figure.rates else ""]


def table(figures):
    """The lines of a Markdown table that is also readable as it is."""
    rows = [HEAD] + [cells(x) for x in figures]
    columns = [i for i in range(len(HEAD)) if i < 4 or any(row[i] for row in rows[1:])]
    rows = [[row[i] for i in columns] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    rows.insert(1, ["-" * w for w in widths])
    return ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in rows]


def machine():
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}"


def write(bench, found, failed):
    """Print and write what was found: {section: figures}."""
    kind = "one short round, of no worth as figures" if bench.quick else f"{bench.rounds} rounds, medians"
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    when = time.strftime("%Y-%m-%d %H:%M")
    lines = ["# Figures", "", f"{when}, Kafka {peers.VERSION}; {machine()}; {kind}; load {load}"]
    for name, figures in found.items():
        lines += ["", f"## {name}", "", *table(figures)]
    lines += ["", *(f"Could not be measured: {x}" for x in failed)]
    text = "\n".join(lines).rstrip() + "\n"
    print(f"\n{text}", flush=True)
    (peers.OUT / "results.md").write_text(text)
    sections = {name: [{**asdict(x), "value": x.value, "ratio": x.ratio, "verdict": x.verdict} for x in figures]
                for name, figures in found.items()}
    all_of_it = {"machine": machine(), "kafka": peers.VERSION, "rounds": bench.rounds, "quick": bench.quick,
                 "failed": failed, "sections": sections}
    (peers.OUT / "results.json").write_text(json.dumps(all_of_it, indent=1) + "\n")
    missed = [x for figures in found.values() for x in figures if x.verdict == "MISSED"]
    print(f"{len(missed)} gates missed" + "".join(f"\n  {x.what}" for x in missed))
