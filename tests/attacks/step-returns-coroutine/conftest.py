from pytest_bdd import then


async def judge():
    raise AssertionError


@then("it is judged")
def judged():
    return judge()
