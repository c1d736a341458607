Feature: F
  Scenario: attacked
    Then I go away

  Scenario: later
    Then all is well
