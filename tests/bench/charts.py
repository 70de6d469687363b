"""SVG charts of the results: bars in groups, or lines."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  after the backend is chosen
import report  # noqa: E402

OURS = "#0b6e99"
OTHERS = ["#e8a33d", "#8d6cab", "#c25b56", "#6a9f58", "#9c9c9c", "#b07d62", "#d98cb3"]
FLOOR = "#444444"  # what bounds everybody: floors, targets, bare TCP
BOUNDS = ("floor", "target", "bare")
WIDTH, BAR_HEIGHT, LINES_HEIGHT = 8.0, 0.24, 4.0  # inches
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "hydrophone",  # the same figures give the same file
}


def colours(contenders):
    others = iter(OTHERS * len(contenders))
    chosen = {}
    for name in contenders:
        if name.startswith("Hydrophone") and OURS not in chosen.values():
            chosen[name] = OURS
        else:
            chosen[name] = FLOOR if name.startswith(BOUNDS) else next(others)
    return chosen


def ordered(values):
    return list(dict.fromkeys(values))


def _bars(axes, figures):
    """A group a case from top to bottom, a bar a contender, its number beside it, a whisker from lowest to highest."""
    contenders, colour = ordered(f.contender for f in figures), colours(ordered(f.contender for f in figures))
    height, y, ticks = 0.8, 0.0, []
    for case in ordered(f.case for f in figures):
        group = [f for f in figures if f.case == case]
        for i, figure in enumerate(group):
            spread = [[figure.value - figure.low], [figure.high - figure.value]]
            axes.barh(y + i, figure.value, height, color=colour[figure.contender], xerr=spread, error_kw={"lw": 0.8})
            axes.annotate(
                report.number(figure.value),
                (figure.high, y + i),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
        ticks.append((y + (len(group) - 1) / 2, case))
        y += len(group) + 0.8
    axes.set_yticks([tick for tick, _ in ticks], [case for _, case in ticks])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(y - 1.1, -0.7)
    axes.margins(x=0.1)
    axes.grid(axis="x", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(figures[0].unit)
    if len(contenders) > 1:
        handles = [plt.Rectangle((0, 0), 1, 1, color=colour[name]) for name in contenders]
        columns = min(len(contenders), 4)
        axes.legend(
            handles, contenders, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=8
        )


def _lines(axes, figures, x_label):
    """Cases, evenly spaced, along x; a line a contender, its spread as a band."""
    contenders, cases = ordered(f.contender for f in figures), ordered(f.case for f in figures)
    colour = colours(contenders)
    for name in contenders:
        of = [f for f in figures if f.contender == name]
        x = [cases.index(f.case) for f in of]
        axes.plot(
            x,
            [f.value for f in of],
            color=colour[name],
            marker="" if name.startswith(BOUNDS) else "o",
            ms=4,
            ls="--" if name.startswith(BOUNDS) else "-",
            label=name,
        )
        axes.fill_between(x, [f.low for f in of], [f.high for f in of], color=colour[name], alpha=0.15, lw=0)
    axes.set_xticks(range(len(cases)), cases)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(figures[0].unit)
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.legend(frameon=False, fontsize=8)


def draw(result, here, path):
    figures = [figure for figure in result.figures if figure.unit not in result.uncharted]
    groups = len(ordered(f.case for f in figures))
    height = 1.3 + BAR_HEIGHT * (len(figures) + 0.8 * groups) if result.chart == "bars" else LINES_HEIGHT
    with plt.rc_context(STYLE):
        drawing, axes = plt.subplots(figsize=(WIDTH, height), layout="constrained")
        if result.chart == "bars":
            _bars(axes, figures)
        else:
            _lines(axes, figures, result.x_label)
        noise = "" if here["quiet"] else "  (NOISY: the machine had other work)"
        drawing.suptitle(f"{result.name}: {result.title}{noise}", x=0.01, ha="left", fontsize=10, fontweight="bold")
        drawing.savefig(path, metadata={"Date": None}, facecolor="white")
        plt.close(drawing)


def draw_all(out, names):
    for result, here in report.read_all(out, names):
        draw(result, here, out / f"{result.name}.svg")
