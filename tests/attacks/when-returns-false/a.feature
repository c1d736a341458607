Feature: F
  Scenario: attacked
    When I try my luck
    Then all is well
