Feature: A new version of a statefulset is tried on its last member
  A partition keeps the update from all members below it.

  Background:
    Given statefulset "db" runs 4 replicas of "db:1" with
      | partition | 3 |

  Scenario: One member tries it, then all take it
    When I update it to "db:2"
    Then the rollout completes
    And the rollout status says "partitioned roll out complete: 1 new pods have been updated"
    And exactly 1 new pod is ready
    And 3 old pods are ready
    And pod "db-3" matches
      """yaml
      spec: {containers: [{image: "db:2"}]}
      """
    When I patch statefulset "db" with
      """yaml
      spec: {updateStrategy: {rollingUpdate: {partition: 0}}}
      """
    Then the rollout completes
    And 4 new pods are ready
    And the rollout history shows revisions 1 and 2
    And revision 2 of the rollout history has image "db:2"

  Scenario: A member below the partition that is lost comes back as it was
    When I update it to "db:2"
    Then the rollout completes
    When I delete pod "db-0"
    Then pod "db-0" is terminating
    And 4 of 4 pods are ready
    And exactly 3 old pods are ready
