from pytest_bdd import then


async def judge():
    raise AssertionError


@then("it is judged")
def judged():
    judge()


@then("all is well")
def well():
    pass
