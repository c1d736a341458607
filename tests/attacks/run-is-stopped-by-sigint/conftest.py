from pathlib import Path
from threading import Event

from pytest_bdd import then


@then("it takes long")
def long():
    Path("ready").write_text("go")
    Event().wait(600)


@then("all is well")
def well():
    pass
