Feature: F
  Scenario: attacked
    Then it is strange

  Scenario: later
    Then all is well
