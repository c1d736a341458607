Feature: F
  Scenario: attacked
    Then it is judged

  Scenario: later
    Then all is well
