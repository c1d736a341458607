Feature: An image that takes time to start listening
  A container runs long before its program listens. Only a readiness probe tells them apart.

  Background:
    Given image "hello:1" takes 10 seconds to stop
    And image "hello:2" takes 20 seconds to start listening

  Scenario: Without a readiness probe requests are lost
    Given deployment "web" runs 4 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    And requests to service "web" every 100 milliseconds
    When I update it to "hello:2"
    Then the rollout completes
    And at least 1 request to service "web" went unanswered

  Scenario: With a readiness probe none is lost
    Given deployment "web" runs 4 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
    And service "web" for deployment "web" on port 8080
    And requests to service "web" every 100 milliseconds
    When I update it to "hello:2"
    Then the rollout completes
    And throughout, every request to service "web" was answered
