"""Results as JSON, as tables for a terminal, and as the Markdown summary."""

import json

import machine
from result import from_json


def write(result, here, out):
    path = out / f"{result.name}.json"
    path.write_text(json.dumps(result.to_json(here), indent=1) + "\n", encoding="utf-8")


def read_all(out, names):
    """Those results that were written, this time or before, each with its machine."""
    found = []
    for name in names:
        path = out / f"{name}.json"
        if path.exists():
            data = json.loads(path.read_text(encoding="utf-8"))
            found.append((from_json(data), data["machine"]))
    return found


def number(value):
    """Three digits that mean something, or the whole number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _columns(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _target(verdict):
    return f"{'at least' if verdict.at_least else 'at most'} {verdict.target:.3g}"


def _verdict_rows(result):
    return [
        [verdict.what, f"{verdict.ratio:.3g}", _target(verdict), "met" if verdict.met else "MISSED"]
        for verdict in result.verdicts
    ]


def text(result):
    """One benchmark for a terminal: the medians with their spread, then the verdicts."""
    rows = [["", "", "median", "lowest", "highest", ""]]
    for figure in result.figures:
        values = [number(value) for value in (figure.value, figure.low, figure.high)]
        rows.append([figure.case, figure.contender, *values, figure.unit])
    parts = [f"\n{result.name}: {result.title}", _columns(rows)]
    if result.verdicts:
        parts.append(_columns(_verdict_rows(result)))
    parts += [f"  {note}" for note in result.notes]
    return "\n".join(parts)


def summary_text(out, names):
    rows = [["", "", "measured", "target", ""]]
    for result, _ in read_all(out, names):
        rows += [[result.name, *row] for row in _verdict_rows(result)]
    return "\nAll that were measured, now or before:\n" + _columns(rows)


def _figures_table(result):
    lines = ["| case | contender | median | lowest | highest | unit |", "|---|---|---|---|---|---|"]
    for figure in result.figures:
        values = " | ".join(number(value) for value in (figure.value, figure.low, figure.high))
        lines.append(f"| {figure.case} | {figure.contender} | {values} | {figure.unit} |")
    return lines


def _section(result, here):
    lines = [f"## {result.name}", "", f"{result.title[0].upper()}{result.title[1:]}.", ""]
    lines += [f"![{result.name}]({result.name}.svg)", ""]
    if result.verdicts:
        lines += ["| ratio | measured | target | |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in _verdict_rows(result)]
        lines.append("")
    lines += [f"* {note}" for note in result.notes]
    rounds = f"{here['rounds']} rounds" + (", small shapes" if here["quick"] else "")
    lines += [f"* {rounds}. {machine.in_words(here)}", "", "<details><summary>Figures</summary>", ""]
    return [*lines, *_figures_table(result), "", "</details>", ""]


def write_summary(out, names):
    """README.md in the results' folder, made from the JSON files there."""
    lines = [
        "# Measured",
        "",
        "Written by `tests/bench/run`; what is measured and how: [tests/bench](../README.md).",
        "",
    ]
    for result, here in read_all(out, names):
        lines += _section(result, here)
    (out / "README.md").write_text("\n".join(lines), encoding="utf-8")
