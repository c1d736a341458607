from pytest_bdd import then


@then("these are so")
def these(datatable):
    for row in datatable:
        for cell in row:
            assert cell == "true"
