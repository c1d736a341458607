Feature: F
  Scenario: attacked
    Then it is killed

  Scenario: later
    Then all is well
