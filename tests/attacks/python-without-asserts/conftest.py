import helper
from pytest_bdd import then


@then("it is one")
def one():
    helper.judge(2)
