"""Then: attempts that were to be refused, and commands that were run. No time phrase goes with them."""

from __future__ import annotations

from gherkube.runners.commands import Command
from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.failure import ExpectationFailed, Failure
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Attempts and commands")


@TOPIC.says("the attempt <is> refused with {text}", 'the attempt is refused with "not found"', timeless=True)
@TOPIC.says("the attempt <is> refused", "the attempt is refused", timeless=True)
def refused(world: World, text: str = "") -> None:
    if not world.attempts:
        raise UsageError("nothing was attempted: write the When as “I try to …”")
    attempt = world.attempts[-1]
    attempt.judged = True
    if attempt.refusal is None:
        _fail(f"“{attempt.text}” refused", "it was not refused")
    elif text not in attempt.refusal:
        _fail(f"“{attempt.text}” refused with “{text}”", f"it was refused with: {attempt.refusal}")


@TOPIC.says("the command <succeeds>", "the command succeeds", timeless=True)
def succeeds(world: World) -> None:
    command = _command(world)
    if command.code:
        _fail(f"`{command.line}` to succeed", f"exit code {command.code}: {command.said}")


@TOPIC.says("the command <fails> with {text}", 'the command fails with "timed out"', timeless=True)
@TOPIC.says("the command <fails>", "the command fails", timeless=True)
def fails(world: World, text: str = "") -> None:
    command = _command(world)
    if not command.code:
        how = f" with “{text}”" if text else ""
        _fail(f"`{command.line}` to fail{how}", f"it succeeded: {command.said}")
    _expect_output(command, text)


@TOPIC.says("the output <contains> {text}", 'the output contains "successfully rolled out"', timeless=True)
def output_contains(world: World, text: str) -> None:
    _expect_output(_command(world), text)


def _expect_output(command: Command, text: str) -> None:
    if text not in command.output:
        _fail(f"the output of `{command.line}` to contain “{text}”", command.said)


def _command(world: World) -> Command:
    if world.command is None:
        raise UsageError("no command was run: write “When I run `kubectl …`” before")
    world.failed = None
    return world.command


def _fail(expected: str, found: str) -> None:
    raise ExpectationFailed(Failure(expected=expected, found=found))
