Feature: F
  Scenario: attacked
    Then it is skipped

  Scenario: later
    Then all is well
