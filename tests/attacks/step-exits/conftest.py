import sys

from pytest_bdd import then


@then("I leave")
def leave():
    sys.exit(0)


@then("all is well")
def well():
    pass
