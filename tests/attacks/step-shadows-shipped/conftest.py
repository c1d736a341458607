from pytest_bdd import then


@then("4 pods are ready")
def ready():
    pass
