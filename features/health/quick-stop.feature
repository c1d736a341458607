Feature: An image that stops at once
  When a pod is deleted, its program is told to stop at the same moment as the Service is told to
  forget it. Whoever stops at once loses the requests that are sent in between.

  Scenario: Requests are lost to the race
    Given deployment "web" runs 4 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
    And service "web" for deployment "web" on port 8080
    And requests to service "web" every 10 milliseconds
    When I update it to "hello:2"
    Then the rollout completes
    And at least 1 request to service "web" went unanswered

  Scenario: A preStop sleep repairs that
    Given deployment "web" runs 4 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
      | preStop sleep   | 5 seconds                  |
    And service "web" for deployment "web" on port 8080
    And requests to service "web" every 10 milliseconds
    When I update it to "hello:2"
    Then the rollout completes
    And throughout, every request to service "web" was answered
