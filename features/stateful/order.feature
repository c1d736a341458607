Feature: The members of a statefulset come and go in order
  A database whose second member joins the first, and whose third joins the second, must not start all
  at once. What makes it so: a pod is made when the one before it is ready, and updates and scaling down
  begin at the highest ordinal.

  Background:
    Given image "db:1" becomes ready after 5 seconds
    And image "db:2" becomes ready after 5 seconds
    And statefulset "db" runs 3 replicas of "db:1" with
      | readiness probe | http :8080/readyz every 1s |

  Scenario: A new version goes from the last member to the first
    When I update it to "db:2"
    Then the rollout completes
    And at some time, pod "db-2" was terminating while 2 old pods were ready
    And at some time, 1 new pod was ready while 2 old pods were ready
    And 3 new pods are ready
    And no old pods exist
    And throughout, at least 2 pods were ready
    And pods were replaced one at a time

  Scenario: More members join one after another
    When I scale it to 5 replicas
    Then pod "db-3" is pending
    And 5 pods are ready
    And pod "db-4" is ready
    And throughout, at most 1 pod was pending
    And throughout, at least 3 pods were ready

  Scenario: The last members leave first, one after another
    When I scale it to 1 replica
    Then 1 pod exists
    And pod "db-0" is ready
    And throughout, pod "db-0" was ready
    And throughout, at most 1 pod was terminating

  Scenario: A member that is lost comes back under its name
    When I delete pod "db-1"
    Then exactly 1 pod is terminating
    And 3 of 3 pods are ready
    And exactly 1 pod was replaced
    And pod "db-1" is ready
    And throughout, at least 2 pods were ready
