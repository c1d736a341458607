from pytest_bdd import then


@then("it is endless")
def endless():
    return endless()


@then("all is well")
def well():
    pass
