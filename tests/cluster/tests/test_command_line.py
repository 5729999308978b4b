"""Which words are ours and which are the command for the box."""

import pytest

from cluster.__main__ import parser, split_command


@pytest.mark.parametrize(
    ("words", "own", "command"),
    [
        (["exec", "kubectl", "get", "pods", "--", "x"], ["exec"], ["kubectl", "get", "pods", "--", "x"]),
        (["exec", "--", "ls", "-h"], ["exec"], ["ls", "-h"]),
        (
            ["start", "sim", "--env", "A=b", "--", "sim", "--port", "1"],
            ["start", "sim", "--env", "A=b"],
            ["sim", "--port", "1"],
        ),
        (["start", "temporal"], ["start", "temporal"], []),
        (["exec", "--help"], ["exec", "--help"], []),
    ],
)
def test_the_command_for_the_box_is_not_parsed(words: list[str], own: list[str], command: list[str]) -> None:
    assert split_command(words) == (own, command)


def test_a_signal_is_chosen_by_name() -> None:
    assert parser().parse_args(["kill", "temporal", "--signal", "STOP"]).signal == "STOP"
    assert parser().parse_args(["kill", "temporal"]).signal == "KILL"
    with pytest.raises(SystemExit):
        parser().parse_args(["kill", "temporal", "--signal", "HUP"])
