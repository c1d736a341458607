Feature: F
  Scenario: attacked
    Then it is interrupted

  Scenario: later
    Then all is well
