Feature: F
  Scenario: attacked
    Then I go away
