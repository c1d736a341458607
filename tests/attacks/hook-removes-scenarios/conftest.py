from pytest_bdd import then


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if item.name != "attacked"]


@then("all is well")
def well():
    pass


@then("it is not so")
def not_so():
    raise AssertionError
