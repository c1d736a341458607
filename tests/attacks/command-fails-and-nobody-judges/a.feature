Feature: F
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
    When I run `kubectl apply -f web.yaml`
    Then 1 pod is ready
