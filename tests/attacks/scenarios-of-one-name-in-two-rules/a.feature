Feature: F
  Rule: A
    Scenario: S
      Given deployment "web" runs 1 replica of "hello:1"
      Then 1 pod is ready

  Rule: B
    Scenario: S
      Given deployment "web" runs 1 replica of "hello:1"
      Then its "spec.replicas" is 2
