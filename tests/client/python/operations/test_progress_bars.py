"""Progress bars: for what takes long, where tqdm is installed."""

import sys

import python_client  # noqa: F401

from hydrophone.operations import progress


def test_a_short_call_shows_nothing(capfd):
    with progress.Progress(True, 3, "inputs") as bar:
        bar.add(3)
    assert capfd.readouterr().err == ""


def test_a_long_call_shows_what_is_done(capfd, monkeypatch):
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0.0)
    with progress.Progress(True, 3, "inputs") as bar:
        bar.add(3)
    assert "3/3" in capfd.readouterr().err


def test_none_is_shown_where_it_is_not_wanted_or_there_is_no_tqdm(capfd, monkeypatch):
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0.0)
    with progress.Progress(False, 3, "inputs") as bar:
        bar.add(3)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with progress.Progress(True, 3, "inputs") as bar:
        bar.add(3)
    assert capfd.readouterr().err == ""
