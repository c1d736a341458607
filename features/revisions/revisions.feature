Feature: Rollouts make revisions
  The first rollout makes revision 1; each change of the pod template makes the next. Under the hood
  every revision is a ReplicaSet, the old ones scaled to zero.

  Background:
    Given deployment "web" runs 3 replicas of "hello:1"

  Scenario: The first rollout makes revision 1
    Then the rollout history shows revision 1
    And revision 1 of the rollout history has image "hello:1"

  Scenario: A new image makes the next revision, and a new ReplicaSet beside the old one
    When I update deployment "web" to "hello:2"
    Then the rollout completes
    And the rollout history shows revisions 1 and 2
    And revision 2 of the rollout history has image "hello:2"
    And there are 2 replica sets with 0 and 3 replicas

  Scenario: Applying a changed manifest makes the next revision, too
    When I apply
      """yaml
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        replicas: 3
        selector:
          matchLabels: {app: web}
        template:
          metadata:
            labels: {app: web}
          spec:
            containers:
              - name: app
                image: hello:3
                ports:
                  - containerPort: 8080
      """
    Then the rollout completes
    And the rollout history shows revisions 1 and 2
    And revision 2 of the rollout history has image "hello:3"

  Scenario: Scaling makes no revision
    When I scale it to 5 replicas
    Then 5 pods are ready
    And the rollout history shows revision 1
    And there is 1 replica set with 5 replicas

  Scenario: Undo goes back to the revision before, and its number moves
    When I update deployment "web" to "hello:2"
    Then the rollout completes
    When I undo the rollout
    Then the rollout completes
    And three "hello:1" pods are running
    And the rollout history shows revisions 2 and 3
    And revision 3 of the rollout history has image "hello:1"

  Scenario: Undo goes the same way back: the old ReplicaSet is filled again while the new one empties
    When I update deployment "web" to "hello:2"
    Then the rollout completes
    When I note the moment "before the undo"
    And I undo the rollout
    Then the rollout completes
    And there are 2 replica sets
    And since the moment "before the undo", 3 "hello:1" pods were created
    And since the moment "before the undo", all "hello:2" pods were deleted
    And since the moment "before the undo", throughout, at least 3 pods were ready
    And at some time, there were 2 replica sets with 2 and 2 replicas

  Scenario: Undo to any recorded revision
    When I update deployment "web" to "hello:2"
    Then the rollout completes
    When I update deployment "web" to "hello:3"
    Then the rollout completes
    And the rollout history shows revisions 1, 2 and 3
    When I undo the rollout to revision 1
    Then the rollout completes
    And three "hello:1" pods are running
    And the rollout history shows revisions 2, 3 and 4
    And there are 3 replica sets with 0, 0 and 3 replicas

  Scenario: A revision that never was cannot be returned to
    When I try to undo the rollout to revision 7
    Then the attempt is refused with "unable to find specified revision 7 in history"

  Scenario: Old revisions are forgotten
    Given deployment "short" runs 1 replica of "hello:1" with
      | revisionHistoryLimit | 1 |
    When I update deployment "short" to "hello:2"
    Then the rollout completes
    When I update deployment "short" to "hello:3"
    Then the rollout completes
    And the rollout history shows revisions 2 and 3

  Scenario: Several changes while the rollout is paused make one revision
    When I pause the rollout
    And I update deployment "web" to "hello:2"
    And I update deployment "web" to "hello:3"
    Then for 1 minute, three "hello:1" pods are running
    When I try to undo the rollout
    Then the attempt is refused with "no rollout history found"
    When I resume the rollout
    Then the rollout completes
    And three "hello:3" pods are running
    And the rollout history shows revisions 1 and 2

  Scenario: A restart replaces every pod with the same image
    When I restart the rollout
    Then the rollout completes
    And 3 pods were replaced
    And three "hello:1" pods are running
    And throughout, at least 3 pods were ready
