import os
from pathlib import Path

from pytest_bdd import then

START = Path.cwd()


def pytest_unconfigure():
    if (START / "own.xml").exists():
        print("JUnit is here")


@then("I go away")
def away():
    os.chdir("/")
    raise AssertionError
