import sys

from pytest_bdd import then


@then("nobody hears it")
def unheard():
    sys.stdout.close()


@then("all is well")
def well():
    pass
