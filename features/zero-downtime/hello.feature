Feature: From hello 1 to hello 2
  The smallest zero-downtime update. What makes it so: the probe lets no request reach a pod before
  it listens, and the image serves while it stops.

  Background:
    Given image "hello:1" takes 5 seconds to stop
    And image "hello:2" takes 5 seconds to stop
    And image "hello:2" answers requests with "Good morning"
    And deployment "hello" runs 4 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
    And service "hello" for deployment "hello" on port 8080
    And requests to service "hello" every 100 milliseconds

  Scenario: A new image
    When I update deployment "hello" to "hello:2"
    Then the rollout completes
    And four "hello:2" pods are running
    And throughout, every request to service "hello" was answered
    When I send 20 requests to service "hello"
    Then every answer contains "Good morning"

  Scenario: A changed label of the template rolls out as a changed image does
    When I patch deployment "hello" with
      """yaml
      spec: {template: {metadata: {labels: {season: winter}}}}
      """
    Then the rollout completes
    And 4 new pods are running
    And 4 pods labelled "season=winter" are running
    And within 1 minute, no old pods exist
    And the rollout history shows revisions 1 and 2
    And throughout, every request to service "hello" was answered
