from pytest_bdd import then


@then("it is interrupted")
def interrupted():
    raise KeyboardInterrupt


@then("all is well")
def well():
    pass
