Feature: What came of an attempt

  Scenario: attempt
    Given deployment "web" runs 3 replicas of "hello:1"
    Then the attempt is refused with "not found"

  Scenario: command
    Given deployment "web" runs 3 replicas of "hello:1"
    Then the command succeeds

  Scenario: output
    Given deployment "web" runs 3 replicas of "hello:1"
    Then the output contains "x"
