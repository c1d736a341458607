from pytest_bdd import then


@then("it is not so")
def not_so():
    raise AssertionError


@then("all is well")
def well():
    pass
