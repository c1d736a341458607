Feature: A bad release of a statefulset stops at its first pod, and stays there
  The update waits until that pod is ready. Undoing the release does not repair it: the controller waits
  for the broken pod also then, until somebody deletes it.

  Background:
    Given image "db:2" does not exist
    And statefulset "db" runs 3 replicas of "db:1"

  Scenario: Undone, and the broken pod deleted
    When I update it to "db:2"
    Then pod "db-2" shows ImagePullBackOff
    And the rollout gets stuck
    And the rollout status says "Waiting for 1 pods to be ready"
    And throughout, at least 2 pods were ready
    When I undo the rollout
    Then the rollout history shows revisions 2 and 3
    And revision 3 of the rollout history has image "db:1"
    And the rollout gets stuck
    And pod "db-2" is pending
    When I delete pod "db-2"
    Then the rollout completes
    And 3 new pods are ready
