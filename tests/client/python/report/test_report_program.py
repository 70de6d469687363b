"""The report as a program, and what it refuses."""

import dataclasses
import sys

import pytest
from python_client import hp

from hydrophone.operations import progress
from hydrophone.report import __main__ as program
from hydrophone.report import ask, run
from hydrophone.report.pictures import NAMES, pictures


@pytest.fixture(scope="module")
def client(server):
    with hp.Client(server.address, progress=False) as connected:
        yield connected


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Calls show their progress bars at once, if they show any."""
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0.0)


@pytest.fixture
def undrawn(monkeypatch):
    """Reports without pictures: what is about files and errors needs none."""
    monkeypatch.setattr(run, "pictures", lambda said: [])


def test_the_program_writes_it_and_says_what_it_does(server, tmp_path, capsys):
    out = tmp_path / "deep" / "report"
    assert program.main(["--server", server.address, "--out", str(out), "--layer", "-1"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out / 'report.html'}: 9 pictures, also as .png beside it\n"
    steps = said.err.splitlines()
    assert all(each.startswith("report: ") for each in steps) and len(steps) == 6 + len(NAMES)
    assert steps[0] == "report: asking which model the server has" and "Layer 11's deltas" in steps[6]


def test_an_earlier_report_is_overwritten_by_force_alone(server, tmp_path, capsys, undrawn):
    options = ["--server", server.address, "--out", str(tmp_path), "--quiet"]
    (tmp_path / "patching.png").write_text("mine")
    assert program.main(options) == 1
    error = capsys.readouterr().err
    assert error == (
        f"hydrophone.report: out: {tmp_path / 'patching.png'} is there already; --force (force=True) overwrites it\n"
    )
    assert (tmp_path / "patching.png").read_text() == "mine" and not (tmp_path / "report.html").exists()
    assert program.main([*options, "--force"]) == 0
    assert (tmp_path / "report.html").exists() and capsys.readouterr().err == ""


def test_a_file_in_the_directorys_place_is_refused_even_by_force(client, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(hp.InvalidArgument, match="out: .* is no directory") as error:
        hp.report(client, tmp_path / "out", force=True, progress=False)
    assert error.value.argument == "out" and (tmp_path / "out").read_text() == "mine"


def test_without_matplotlib_it_says_how_to_get_it_before_it_asks(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"matplotlib is not installed: pip install 'hydrophone\[report\]'"):
        hp.report(hp.Client("localhost:1"), tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options, argument, said",
    [
        ({"layer": 12}, "layer", "got 12, expected -12 to 11"),
        ({"text": ""}, "text", "no tokens|empty"),
        ({"final_text": ""}, "final_text", "no tokens|empty"),
        ({"clean": ""}, "clean", "no tokens|empty"),
        ({"corrupt": "Rome"}, "corrupt", "expected 5"),
        ({"answers": (" Paris", " Rome is")}, "answers", "expected one token"),
        ({"max_abs": -1.0}, "max_abs", "-1"),
        ({"quantile": 2.0}, "quantile", "got 2"),
        ({"max_abs": 1.0, "quantile": 0.5}, "quantile", "expected one"),
    ],
)
def test_an_error_names_the_argument(client, tmp_path, options, argument, said):
    with pytest.raises(hp.InvalidArgument, match=said) as error:
        hp.report(client, tmp_path / "out", progress=False, **options)
    assert error.value.argument == argument
    assert not (tmp_path / "out").exists(), "nothing of it is written"


def test_a_tokenizer_of_other_words_costs_the_patching_grid_alone(client, tmp_path, monkeypatch):
    def refused(*arguments, **options):
        raise hp.InvalidArgument.of("metrics", "got ' Paris', which is the tokens ['P', 'aris'], expected one token")

    (tmp_path / "patching.png").write_text("an earlier report's")
    monkeypatch.setattr(hp.Client, "patch_grid", refused)
    monkeypatch.setattr(run, "pictures", lambda said: [each for each in pictures(said) if each.name == "patching"])
    made = hp.report(client, tmp_path, force=True, progress=False)
    assert not made.pictures and [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "<h2>No patching grid</h2>\n<p>answers: got &#x27; Paris&#x27;" in made.page.read_text()
    with pytest.raises(hp.InvalidArgument, match="answers: got"):
        hp.report(client, tmp_path, answers=(" Rome", " Paris"), force=True, progress=False)


def test_a_report_is_of_one_model(client):
    answer = client.extract("a", "resid_post", layers=0).provenance
    ask._check_one_model([answer, answer])
    with pytest.raises(hp.Precondition, match="several answered: .*weights 0123.*; .*weights"):
        ask._check_one_model([answer, dataclasses.replace(answer, weights_sha256="0123")])


def test_a_mask_has_one_rule(capsys):
    with pytest.raises(SystemExit):
        program.main(["--max-abs", "1", "--quantile", "0.5"])
    assert "not allowed with" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_one_line(tmp_path, capsys):
    assert program.main(["--server", "127.0.0.1:1", "--out", str(tmp_path / "out"), "--quiet"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("hydrophone.report: ") and error.count("\n") == 1
