import os

from pytest_bdd import then


@then("I leave")
def leave():
    os._exit(0)


@then("all is well")
def well():
    pass
