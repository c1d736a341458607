from pytest_bdd import then


def judge(n):
    assert n == 1


@then("they are judged")
def judged():
    return (judge(n) for n in range(3))
