"""The command line: what is refused, and where options end."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntos.cli import main
from ntos.cli.options import UsageError, parse
from tests.cli.conftest import SAMPLES, complaint, ntos, run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "PROGRAM is missing"),
        (["--"], "PROGRAM is missing"),
        (["--tiemout", "1", "x.exe"], "--tiemout"),
        (["--time", "1", "x.exe"], "--time"),
        (["--timeout"], "--timeout"),
        (["--timeout", "soon", "x.exe"], "'soon' is not a number of seconds"),
        (["--timeout", "-1", "x.exe"], "'-1' is not a number of seconds"),
        (["--timeout", "0", "x.exe"], "'0' is not a number of seconds"),
        (["--timeout", "nan", "x.exe"], "'nan' is not a number of seconds"),
        (["--memory", "lots", "x.exe"], "'lots' is not a size"),
        (["--memory", "", "x.exe"], "'' is not a size"),
        (["--memory", "1M", "x.exe"], "between 32M and 64G"),
        (["--memory", "65G", "x.exe"], "between 32M and 64G"),
        (["--drive", "C", "x.exe"], "'C' is not LETTER=FOLDER"),
        (["--drive", "CD=/tmp", "x.exe"], "'CD=/tmp' is not LETTER=FOLDER"),
        (["--drive", "1=/tmp", "x.exe"], "'1=/tmp' is not LETTER=FOLDER"),
        (["--drive", "C=/no/such", "x.exe"], "'/no/such' is not a folder"),
        (["--env", "=x", "x.exe"], "'=x' is not NAME=VALUE"),
        (["--env", "x", "x.exe"], "'x' is not NAME=VALUE"),
        (["--seed", "seven", "x.exe"], "'seven'"),
        (["--dump-on-exit", "x.exe", "x.exe"], "--dump FILE must say where"),
    ],
)
def test_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that makes no sense is one line that names the word, and exit code 2."""
    assert main(["run", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ntos: ")
    assert err.count("\n") == 1
    assert said in err
    assert "ntos run --help" in err


def test_options_end_at_the_program() -> None:
    """What follows PROGRAM is the guest's, though it looks like an option of ours."""
    settings, program, arguments = parse(["--seed", "7", "x.exe", "--seed", "8", "-v", "--", "--help"])
    assert (settings.seed, settings.verbose) == (7, False)
    assert (program, arguments) == ("x.exe", ["--seed", "8", "-v", "--", "--help"])


def test_two_dashes_end_options() -> None:
    """After `--` comes PROGRAM, even if it begins with a dash; a second `--` is the guest's."""
    settings, program, arguments = parse(["-v", "--", "-odd.exe", "--", "-x"])
    assert settings.verbose
    assert (program, arguments) == ("-odd.exe", ["--", "-x"])


def test_value_joined_by_equals_sign(tmp_path: Path) -> None:
    """`--seed=7` is `--seed 7`, and the value may hold further equals signs."""
    settings, program, _ = parse([f"--drive=E={tmp_path}", "--env=A=b=c", "--seed=7", "x.exe"])
    assert settings.drive == [("E", tmp_path)]
    assert settings.env == [("A", "b=c")]
    assert (settings.seed, program) == (7, "x.exe")


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512 << 20), ("2g", 2 << 30), ("65536k", 64 << 20), ("1GB", 1 << 30)]
)
def test_sizes(text: str, size: int) -> None:
    """Sizes have units in either case."""
    assert parse(["--memory", text, "x"])[0].memory == size


def test_drive_letter_in_any_spelling(tmp_path: Path) -> None:
    """`e:` and `E` are one drive."""
    assert parse(["--drive", f"e:={tmp_path}", "x"])[0].drive == [("E", tmp_path)]


def test_value_is_not_taken_for_the_program() -> None:
    """An option that lost its value says so."""
    with pytest.raises(UsageError, match="--trace"):
        parse(["--trace"])


def test_help_lists_every_option_and_exit_code() -> None:
    """`ntos run --help` names all options and the documented exit codes, on stdout, with code 0."""
    done = run("--help")
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    for word in ("--drive", "--cwd", "--env", "--timeout", "--memory", "--seed", "--trace", "--result", "--dump"):
        assert word in text
    for code in ("124", "125", "126", "127", "130"):
        assert code in text


def test_unknown_command() -> None:
    """A command that does not exist is one line, exit code 2."""
    done = ntos("rum", SAMPLES / "exitcode.exe")
    assert done.returncode == 2
    assert "'rum'" in complaint(done)


@pytest.mark.parametrize("option", ["--trace", "--result", "--dump"])
def test_file_that_cannot_be_written(option: str, tmp_path: Path) -> None:
    """An output file that cannot be made is named, exit code 2."""
    done = run(option, tmp_path / "no" / "such", SAMPLES / "exitcode.exe", "0")
    assert done.returncode == 2
    assert complaint(done) == f"{option} {tmp_path}/no/such: no such file or directory"
