Feature: F
  Scenario: attacked
    Then all is well

  Scenario: later
    Then all is well
