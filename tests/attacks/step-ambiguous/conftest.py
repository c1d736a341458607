from pytest_bdd import parsers, then


# A step that anything fits, and the one that is meant.
@then(parsers.parse("there are {n} things"))
def loose(n):
    pass


@then(parsers.parse("there are {n:d} things"))
def strict(n):
    raise AssertionError(n)
