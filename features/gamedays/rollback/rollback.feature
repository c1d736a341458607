Feature: A rollback at the worst moment
  An undo is a rollout, too. It has to be as safe in the middle of the release that it takes back, where old
  and new pods serve side by side, as at its very end, where no old pod is left.

  Background:
    Given the manifest "manifests/shop.yaml"
    And requests to service "shop" every 200 milliseconds

  Scenario: Right at the beginning
    When I update deployment "shop" to v2
    Then within 1 minute, at least 1 v2 pod is active
    When I undo the rollout
    Then within 1 minute, the rollout completes
    And within 1 minute, no v2 pods exist
    And no v1 pods were replaced
    And throughout, at least 4 pods were ready
    And throughout, every request to service "shop" was answered

  Scenario: Half of the pods are new
    When I update deployment "shop" to v2
    Then within 1 minute, 2 v2 pods are ready
    When I undo the rollout
    Then within 2 minutes, the rollout completes
    And four v1 pods are running
    And within 1 minute, no v2 pods exist
    And throughout, at least 4 pods were ready
    And throughout, at most 5 pods were active
    And throughout, every request to service "shop" was answered

  Scenario: The last old pod is going
    When I update deployment "shop" to v2
    Then within 2 minutes, no v1 pods are active
    When I undo the rollout
    Then within 2 minutes, the rollout completes
    And four v1 pods are running
    And within 1 minute, no v2 pods exist
    And throughout, at least 4 pods were ready
    And throughout, every request to service "shop" was answered
