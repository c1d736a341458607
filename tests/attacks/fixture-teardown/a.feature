Feature: F
  Scenario: attacked
    Then it is cleaned up

  Scenario: later
    Then all is well
