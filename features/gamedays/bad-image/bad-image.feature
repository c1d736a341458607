Feature: A release whose image does not exist
  Somebody mistypes a tag. The rollout must stop by itself, and an undo must put back what it took,
  without a customer noticing either.

  Background:
    Given image "jocatalin/kubernetes-bootcamp:v10" does not exist
    And the manifest "manifests/shop.yaml"
    And requests to service "shop" every 200 milliseconds

  Scenario: A good release first
    When I update deployment "shop" to v2
    Then within 3 minutes, the rollout completes
    And throughout, at least 3 pods were ready
    And throughout, every request to service "shop" was answered

  Scenario: The tag does not exist, and nobody does anything for a minute
    When I update deployment "shop" to v10
    Then within 2 minutes, 2 new pods show ImagePullBackOff
    And for 1 minute, exactly 3 pods are ready
    And throughout, every request to service "shop" was answered

  Scenario: The tag does not exist, and the release is undone
    When I update deployment "shop" to v10
    Then within 2 minutes, 2 new pods show ImagePullBackOff
    When I undo the rollout
    Then within 1 minute, the rollout completes
    And 4 pods are ready
    And no v10 pods exist
    And the 3 pods that were ready all along were never restarted
    And throughout, every request to service "shop" was answered
