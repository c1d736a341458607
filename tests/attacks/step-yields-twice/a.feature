Feature: F
  Scenario: attacked
    Then it goes on
