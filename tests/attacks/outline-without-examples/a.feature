Feature: F
  Scenario Outline: S
    Given deployment "web" runs <n> replicas of "hello:1"
    Then <n> pods are ready
