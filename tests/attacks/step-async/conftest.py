from pytest_bdd import then


@then("it is awaited")
async def awaited():
    raise AssertionError
