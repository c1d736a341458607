Feature: F
  Scenario: attacked
    Then it is enough

  Scenario: later
    Then all is well
