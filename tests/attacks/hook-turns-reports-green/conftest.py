import pytest
from pytest_bdd import then


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    report = yield
    report.outcome = "passed"
    return report


def pytest_runtest_logreport(report):
    report.outcome = "passed"


@then("it is not so")
def not_so():
    raise AssertionError
