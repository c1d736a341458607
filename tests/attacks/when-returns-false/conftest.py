from pytest_bdd import then, when


@when("I try my luck")
def luck():
    return False


@then("all is well")
def well():
    pass
