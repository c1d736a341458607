import pytest
from pytest_bdd import then


@then("it is enough")
def enough():
    pytest.exit("enough", returncode=0)


@then("all is well")
def well():
    pass
