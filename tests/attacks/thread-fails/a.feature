Feature: F
  Scenario: attacked
    Then a thread judges

  Scenario: later
    Then all is well
