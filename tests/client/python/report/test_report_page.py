"""The report's page and files: whole, needing nothing else, and the same bytes each time."""

import base64
import dataclasses
import re
import shlex
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from conftest import ROOT
from PIL import Image
from python_client import PACKAGE, hp

from hydrophone.report import __main__ as program
from hydrophone.report import page
from hydrophone.report.ask import Question
from hydrophone.report.pictures import NAMES

TEXT = 'The <b>cat</b> & "the" $hat'
REFERENCES = ("src", "href", "srcset", "action", "data", "poster", "background")
MOST_BYTES_COMMITTED = 150_000


@pytest.fixture(scope="module")
def client(server):
    with hp.Client(server.address, progress=False) as connected:
        yield connected


@pytest.fixture(scope="module")
def made(client, tmp_path_factory):
    return hp.report(client, tmp_path_factory.mktemp("report") / "new", text=TEXT, progress=False)


@pytest.fixture(scope="module")
def source(made):
    return made.page.read_text()


@pytest.fixture(scope="module")
def root(source):
    """The page read as XML, which forgives nothing."""
    return ElementTree.fromstring(source.removeprefix("<!DOCTYPE html>"))


class Tags(HTMLParser):
    """The tags that are open, and what went wrong."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_startendtag(self, tag, attributes):
        if tag not in ("meta", "img"):
            self.wrong.append(f"<{tag}/>")

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def test_the_page_is_well_formed(source, root):
    tags = Tags()
    tags.feed(source)
    assert not tags.open and not tags.wrong
    assert source.startswith("<!DOCTYPE html>\n<html lang=") and root.tag == "html"


def test_the_page_needs_nothing_else(source, root):
    references = [each.get(name) for each in root.iter() for name in REFERENCES if each.get(name)]
    assert len(references) == len(NAMES) and all(each.startswith("data:image/png;base64,") for each in references)
    assert not {each.tag for each in root.iter()} & {"script", "link", "iframe", "object", "embed", "base"}
    without_pictures = re.sub(r"base64,[^\"]*", "", source)
    assert "url(" not in without_pictures and "@import" not in without_pictures and "//" not in without_pictures


def test_every_picture_is_on_the_page_and_beside_it(made, root):
    figures = {each.get("id"): each for each in root.iter("figure")}
    assert tuple(figures) == NAMES == tuple(made.pictures)
    titles = [each.text for each in root.iter("h2")]
    for name, figure in figures.items():
        [image], [caption] = figure.iter("img"), figure.iter("figcaption")
        data = made.pictures[name].read_bytes()
        assert base64.b64decode(image.get("src").partition("base64,")[2]) == data
        assert image.get("alt") in titles and caption.text.endswith(".")
        with Image.open(made.pictures[name]) as picture:
            assert picture.format == "PNG" and min(picture.size) > 400
            assert picture.convert("L").getextrema() != (255, 255), "something is drawn"
    assert {path.name for path in made.page.parent.iterdir()} == {"report.html", *(f"{name}.png" for name in NAMES)}


def test_it_says_where_the_numbers_come_from(client, root):
    model = client.model()
    facts = {row[0].text: row[1].text for row in root.iter("tr") if row[0].get("scope") == "row"}
    assert facts["weights, SHA-256"] == model.weights_sha256
    assert facts["tokenizer, SHA-256"] == model.tokenizer_sha256
    assert facts["numerics"] == model.numerics and facts["model"].startswith(f"{model.name}: 12 blocks of width 64")
    assert facts["text"] == f"“{TEXT}”" and facts["final state of"] == "“hello”"
    assert facts["outlier mask"].endswith("the lesson's, at most 30, would hide nothing here")


def test_it_shows_every_check_and_the_flag(client, source, root):
    checks = {row[0].text: row[1].text for row in root.iter("tr") if len(row) == 5}
    assert {"A3.reconstruction", "B1.block_inputs", "B2.raw_is_not_normalised", "B3.ln_f"} < set(checks)
    assert set(checks.values()) == {None, "passed"}
    assert f"What the server verified: {len(checks) - 1} of {len(checks) - 1} passed" in source
    assert client.verify("hello", layers=0, skip_reference=True).final_state.profile_note in source


def test_a_picture_says_what_it_shows_and_of_which_model(made, client):
    model = client.model()
    for path in made.pictures.values():
        with Image.open(path) as picture:
            assert set(picture.text) == {"Description"}
            assert f"{model.name}, weights {model.weights_sha256}" in picture.text["Description"]


def test_the_same_question_gives_the_same_bytes_whatever_the_callers_settings(made, client, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10}):
        again = hp.report(client, tmp_path, text=TEXT, progress=False)
    for path in (made.page, *made.pictures.values()):
        assert (again.page.parent / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_command_on_the_page_asks_the_same(root):
    question = Question("a 'b'", "-c", "d e", "f g", (" x", " -y"), 3, None, 0.5)
    words = shlex.split(page.command(question))
    options = program._parser().parse_args(words[3:])
    answered = Question(
        options.text,
        options.final_text,
        options.clean,
        options.corrupt,
        tuple(options.answers),
        options.layer,
        options.max_abs,
        options.quantile,
    )
    assert words[:3] == ["python", "-m", "hydrophone.report"] and answered == question
    [shown] = [each.text for each in root.iter("pre")]
    assert shlex.split(shown) == ["python", "-m", "hydrophone.report", f"--text={TEXT}"]


def test_a_check_that_failed_stands_out(client):
    said = page._check(dataclasses.replace(client.verify("a", layers=0, skip_reference=True).checks[0], passed=False))
    assert '<td class="failed">FAILED</td>' in said


def test_the_pictures_of_the_readmes_are_of_this_model(client):
    model = client.model()
    named = set()
    for readme in (ROOT / "README.md", PACKAGE / "README.md"):
        found = re.findall(r"(?:client/python/)?(pictures/[\w.-]+\.png)", readme.read_text())
        named |= {PACKAGE / each for each in found}
    assert named == set((PACKAGE / "pictures").iterdir()) and named
    for path in named:
        assert path.stem in NAMES and path.stat().st_size < MOST_BYTES_COMMITTED
        with Image.open(path) as picture:
            assert model.weights_sha256 in picture.text["Description"]
            assert f"numerics {model.numerics}" in picture.text["Description"]
