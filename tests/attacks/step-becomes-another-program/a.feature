Feature: F
  Scenario: attacked
    Then kubectl agrees

  Scenario: later
    Then all is well
