import threading

from pytest_bdd import then


def judge():
    raise AssertionError("seen by nobody")


@then("a thread judges")
def judges():
    thread = threading.Thread(target=judge)
    thread.start()
    thread.join()
