import unittest

from pytest_bdd import then


@then("it is skipped")
def skipped():
    raise unittest.SkipTest("not today")
