Feature: F
  Scenario Outline: S
    Given deployment "web" runs <n> replicas of "hello:1"
    Then <m> pods are ready
    Examples:
      | n |
      | 1 |
