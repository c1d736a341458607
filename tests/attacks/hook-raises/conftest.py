from pytest_bdd import then


def pytest_bdd_after_scenario():
    raise RuntimeError("broken hook")


@then("all is well")
def well():
    pass
