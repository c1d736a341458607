Feature: F
  Scenario: attacked
    Then time stands still

  Scenario: later
    Then all is well
