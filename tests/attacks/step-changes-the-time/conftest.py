import time

from pytest_bdd import then


@then("time stands still")
def still():
    time.time = time.perf_counter = time.monotonic = lambda: 0.0
    raise AssertionError("timeless")


@then("all is well")
def well():
    pass
