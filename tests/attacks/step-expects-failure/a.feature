Feature: F
  Scenario: attacked
    Then it is known

  Scenario: later
    Then all is well
