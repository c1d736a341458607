"""kubectl's part in `kubectl get`: a Table of the server as the text that a terminal shows."""

from __future__ import annotations

from gherkube.runners.objects import Object

GAP = 3


def rendered(table: Object, *, wide: bool = False, show_labels: bool = False) -> str:
    """The text of a Table. cli-runtime/pkg/printers/tableprinter.go, tabwriter with a padding of 3"""
    columns = table["columnDefinitions"]
    shown = [at for at, column in enumerate(columns) if wide or not column["priority"]]
    lines = [[columns[at]["name"].upper() for at in shown], *(_cells(row, shown) for row in table["rows"])]
    if show_labels:
        lines[0].append("LABELS")
        for line, row in zip(lines[1:], table["rows"], strict=True):
            labels = row["object"]["metadata"].get("labels", {})
            line.append(",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>")
    widths = [max(len(line[at]) for line in lines) + GAP for at in range(len(lines[0]))]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False)) + line[-1] + "\n"
        for line in lines
    )


def _cells(row: Object, shown: list[int]) -> list[str]:
    return [_text(row["cells"][at]) for at in shown]


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return "" if cell is None else str(cell)
