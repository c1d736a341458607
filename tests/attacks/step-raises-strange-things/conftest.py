from pytest_bdd import then


class StrangeError(BaseException):
    pass


@then("it is strange")
def strange():
    raise StrangeError("\x00\x1b[2K \ud800 ]]> 1 scenario: 1 passed")


@then("all is well")
def well():
    pass
