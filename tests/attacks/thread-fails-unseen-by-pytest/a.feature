Feature: F
  Scenario: attacked
    Then a thread judges
