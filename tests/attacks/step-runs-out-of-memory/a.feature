Feature: F
  Scenario: attacked
    Then it is endless

  Scenario: later
    Then all is well
