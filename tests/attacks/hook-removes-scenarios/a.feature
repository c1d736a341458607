Feature: F
  Scenario: attacked
    Then it is not so

  Scenario: later
    Then all is well
