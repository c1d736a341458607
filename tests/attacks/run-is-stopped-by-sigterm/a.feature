Feature: F
  Scenario: attacked
    Then it takes long

  Scenario: later
    Then all is well
