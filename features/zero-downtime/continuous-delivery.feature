Feature: Continuous delivery without downtime
  Release after release while requests flow. What makes it so: a readiness probe (no request reaches
  a pod that does not listen yet) and a preStop sleep (no pod stops before the Service forgot it).

  Background:
    Given image "shop:1.1.0" takes 5 seconds to start listening
    And image "shop:1.2.0" takes 15 seconds to start listening
    And deployment "shop" runs 4 replicas of "shop:1.0.0" with
      | maxUnavailable  | 0                          |
      | readiness probe | http :8080/readyz every 1s |
      | preStop sleep   | 5 seconds                  |
    And service "shop" for deployment "shop" on port 8080
    And requests to service "shop" every 100 milliseconds

  Scenario: Three releases in a row, one of them undone
    When I update it to 1.1.0
    Then the rollout completes
    When I update it to 1.2.0
    Then the rollout completes
    When I undo the rollout
    Then the rollout completes
    And four 1.1.0 pods are running
    And throughout, at least 4 pods were ready
    And throughout, every request to service "shop" was answered

  Scenario: The next release does not wait for the one before
    When I update it to 1.1.0
    And 3 seconds pass
    And I update it to 1.2.0
    Then the rollout completes
    And four 1.2.0 pods are running
    And throughout, every request to service "shop" was answered
