from pytest_bdd import then


def pytest_sessionfinish():
    raise RuntimeError("broken end")


@then("it is not so")
def not_so():
    raise AssertionError
