Feature: Promote an application from one environment to another
  The image that proved itself in staging goes to production, and nothing else does: replicas and
  settings of production stay.

  Scenario: Staging first, then production
    Given deployment "shop" in namespace "staging" runs 1 replica of "shop:1.0.0"
    And deployment "shop" in namespace "production" runs 3 replicas of "shop:1.0.0"
    When I update deployment "shop" in namespace "staging" to "shop:1.1.0"
    Then the rollout completes
    And 3 pods of deployment "shop" in namespace "production" are running
    When I promote deployment "shop" from namespace "staging" to namespace "production"
    Then three 1.1.0 pods of deployment "shop" in namespace "production" are running
    And deployment "shop" in namespace "production" has 3 ready, 3 up-to-date and 3 available replicas
    And one 1.1.0 pod of deployment "shop" in namespace "staging" is running
