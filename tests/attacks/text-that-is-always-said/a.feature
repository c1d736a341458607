Feature: What contains the empty text

  Scenario: refusal
    Given deployment "web" runs 3 replicas of "hello:1"
    When I try to scale deployment "absent" to 2 replicas
    Then the attempt is refused with ""

  Scenario: answer
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When I send 2 requests to service "web"
    Then every answer contains ""

  Scenario: event
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then an event "Pulled" about a pod says ""

  Scenario: status
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then the rollout status says ""
