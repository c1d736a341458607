Feature: Canary: a new version gets a small share of the traffic
  One service selects the pods of two deployments; the share of a version is its share of the pods.

  Background:
    Given the manifest "manifests/canary.yaml"

  Scenario: One pod of ten is the canary
    Then 9 pods of deployment "shop" are ready
    And 1 pod of deployment "shop-canary" is ready
    And service "shop" has 10 endpoints
    When I send 200 requests to service "shop"
    Then every request to service "shop" is answered
    And between 80% and 98% of requests to service "shop" are answered by v1
    And between 2% and 20% of requests to service "shop" are answered by v2

  Scenario: The canary is good: everybody gets the new version
    When I update deployment "shop" to v2
    Then the rollout completes
    When I scale deployment "shop-canary" to 0 replicas
    Then no pods of deployment "shop-canary" exist
    When I send 50 requests to service "shop"
    Then requests to service "shop" are answered by v2 only

  Scenario: The canary is bad: it is taken away again
    Given image "shop:v3" answers requests with status 500
    When I update deployment "shop-canary" to v3
    Then the rollout completes
    When I send 200 requests to service "shop"
    Then at least 1 request to service "shop" went unanswered
    When I scale deployment "shop-canary" to 0 replicas
    Then no pods of deployment "shop-canary" exist
    When I send 50 requests to service "shop"
    Then every request to service "shop" is answered
    And requests to service "shop" are answered by v1 only
