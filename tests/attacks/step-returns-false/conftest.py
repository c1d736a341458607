from pytest_bdd import then


@then("it is so")
def is_so():
    return False
