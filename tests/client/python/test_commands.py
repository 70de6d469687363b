"""What the package's programs have in common."""

import pytest
from python_client import hp

from hydrophone import commands


@pytest.mark.parametrize(
    "error, status, said",
    [
        (hp.InvalidArgument.of("out", "got a,\nexpected b"), 1, "hydrophone.bulk: out: got a, expected b\n"),
        (FileNotFoundError(2, "No such file", "x"), 1, "hydrophone.bulk: [Errno 2] No such file: 'x'\n"),
        (ImportError("safetensors is not installed"), 1, "hydrophone.bulk: safetensors is not installed\n"),
        (KeyboardInterrupt(), 130, "hydrophone.bulk: interrupted\n"),
    ],
)
def test_an_error_is_one_line_and_a_status(capsys, error, status, said):
    def main():
        raise error

    assert commands.run("bulk", main) == status
    assert capsys.readouterr().err == said


def test_a_fault_of_the_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        commands.run("bulk", lambda: 1 // 0)


def test_options_say_how_to_reach_a_server(tmp_path):
    (tmp_path / "token").write_text("secret\n")
    options = ["--server", "localhost:1", "--token-file", str(tmp_path / "token"), "--in-flight", "7"]
    with commands.connect(commands.parser("bulk", "").parse_args(options)) as client:
        assert client.address == "localhost:1" and client.session.in_flight == 7
    away = ["--server", "lab:1", "--token-file", str(tmp_path / "token")]
    with pytest.raises(hp.Precondition, match="plaintext"):
        commands.connect(commands.parser("bulk", "").parse_args(away))
    commands.connect(commands.parser("bulk", "").parse_args([*away, "--tls"])).close()


@pytest.mark.parametrize("word, value", [("3", 3), ("-1", -1), ("last", "last"), ("2:5", "2:5")])
def test_positions_are_numbers_or_text(word, value):
    assert commands.number_or_text(word) == value
