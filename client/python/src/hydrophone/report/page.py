"""The page: one HTML file that needs no other."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Sequence
from html import escape

from hydrophone.errors import InvalidArgument
from hydrophone.report.ask import Answers, Question
from hydrophone.report.canvas import Picture
from hydrophone.results.verification import Check

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; background: #fff; color: #1a1a1a;
       font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.5rem 0 0.5rem; }
code, q { overflow-wrap: anywhere; }
q { white-space: pre-wrap; }
figure { margin: 0; }
.wide { overflow-x: auto; }
img { display: block; width: 100%; height: auto; }
figcaption { margin-top: 0.5rem; color: #333; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid #ddd; }
.facts td { overflow-wrap: anywhere; }
.checks td { white-space: nowrap; }
th[scope=row] { font-weight: normal; color: #555; white-space: nowrap; }
.failed { color: #b00020; font-weight: bold; }
pre { background: #f5f5f5; padding: 0.75rem; overflow-x: auto; font-size: 0.85rem; }
"""


def page(question: Question, answers: Answers, pictures: Sequence[tuple[Picture, bytes, float]]) -> str:
    """The page of the pictures, each with its PNG and its width in pixels of a page. It is well-formed XML too."""
    model = escape(answers.model.name)
    figures = "\n".join(_figure(*each) for each in pictures)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>Two lessons on {model}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Two lessons on {model}</h1>
<p>What attention and MLP add to the residual stream, whether the sum closes, and what the last hidden state really is:
measured on a Hydrophone server's captures.</p>
{_facts(question, answers)}
{figures}
{_left_out(answers)}
<h2>What the server verified: {_passed(answers)}</h2>
{_checks(answers)}
<p>{escape(answers.final_verified.final_state.profile_note)}</p>
<h2>Made again by</h2>
<pre>{escape(command(question))}</pre>
</body>
</html>
"""


def command(question: Question) -> str:
    """The command that asks the same of any server."""
    default = Question()
    words = ["python", "-m", "hydrophone.report"]
    for name in ("text", "final_text", "clean", "corrupt", "layer", "max_abs", "quantile"):
        value = getattr(question, name)
        if value != getattr(default, name):
            words += [f"--{name.replace('_', '-')}={value}"]
    if question.answers != default.answers:
        words += ["--answers", *question.answers]
    return shlex.join(words)


def _facts(question: Question, answers: Answers) -> str:
    where, model = answers.provenance, answers.model
    shape = f"{model.n_layer} blocks of width {model.n_embd}, {model.n_head} heads, {model.parameters:,} parameters"
    mask = str(answers.mask)
    if answers.mask.instead:
        mask += "; the lesson's, at most 30, would hide nothing here"
    rows = [
        ("model", f"{where.model}: {shape}"),
        ("weights, SHA-256", where.weights_sha256),
        ("tokenizer, SHA-256", where.tokenizer_sha256),
        ("numerics", where.numerics),
        ("server", f"hydrophone {where.server_version}"),
        ("text", _quoted(question.text)),
        ("final state of", _quoted(question.final_text)),
        ("patched", f"{_quoted(question.corrupt)} with states of {_quoted(question.clean)}"),
        ("measured by", f"the logit of {_quoted(question.answers[0])} minus that of {_quoted(question.answers[1])}"),
        ("outlier mask", mask),
    ]
    return _table("facts", [], [[_cell(name, heading=True), _cell(value)] for name, value in rows])


def _quoted(text: str) -> str:
    return f"“{text}”"


def _checks(answers: Answers) -> str:
    rows = [_check(each) for each in answers.verified.checks]
    return f'<div class="wide">{_table("checks", ["check", "", "value", "allowed", "what is measured"], rows)}</div>'


def _passed(answers: Answers) -> str:
    checks = answers.verified.checks
    return f"{sum(check.passed for check in checks)} of {len(checks)} passed"


def _check(check: Check) -> list[str]:
    passed = "<td>passed</td>" if check.passed else '<td class="failed">FAILED</td>'
    value, allowed = f"{check.value:.3g}", f"{check.tolerance:.3g}"
    return [_cell(check.name), passed, _cell(value), _cell(allowed), _cell(check.measure)]


def _left_out(answers: Answers) -> str:
    """What stands in the place of a patching grid that there is none of."""
    if not isinstance(answers.grid, InvalidArgument):
        return ""
    return f"<h2>No patching grid</h2>\n<p>{escape(str(answers.grid))}</p>"


def _cell(text: str, heading: bool = False) -> str:
    return f'<th scope="row">{escape(text)}</th>' if heading else f"<td>{escape(text)}</td>"


def _table(kind: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    first = f"<tr>{''.join(f'<th>{escape(each)}</th>' for each in head)}</tr>\n" if head else ""
    return f'<table class="{kind}">\n' + first + "".join(f"<tr>{''.join(row)}</tr>\n" for row in rows) + "</table>"


def _figure(picture: Picture, png: bytes, width: float) -> str:
    data = base64.b64encode(png).decode()
    title = escape(picture.title)
    return f"""<h2>{title}</h2>
<figure id="{picture.name}">
<div class="wide"><img alt="{title}" style="min-width: {width:.0f}px" src="data:image/png;base64,{data}"/></div>
<figcaption>{escape(picture.caption)}</figcaption>
</figure>"""
