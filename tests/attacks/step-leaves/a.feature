Feature: F
  Scenario: attacked
    Then I leave

  Scenario: later
    Then all is well
