Feature: F
  Scenario Outline: S
    Given deployment "web" runs <n> replicas of "hello:1"
    Then 1 pod is ready
    Examples:
      | n | ready |
      | 1 | 0     |
