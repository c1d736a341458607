import pytest
from pytest_bdd import then


@pytest.fixture
def thing():
    yield
    raise AssertionError("left behind")


@then("it is cleaned up")
def cleaned(thing):
    pass


@then("all is well")
def well():
    pass
