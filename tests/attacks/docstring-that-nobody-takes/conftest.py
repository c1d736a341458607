from pytest_bdd import then


@then("all is well")
def well():
    pass
