Feature: A Deployment keeps its number of pods
  Whatever takes pods away, the Deployment's ReplicaSet makes new ones.

  Scenario: A deleted pod is replaced
    Given deployment "web" runs 4 replicas of "hello:1"
    When I delete a pod of deployment "web"
    Then 4 pods are ready
    And exactly 1 pod was created
    And the 3 pods that were ready all along were never restarted

  Scenario: A container that crashes is started again in its pod
    Given image "hello:1" crashes after 30 seconds with exit code 1
    And deployment "web" runs 4 replicas of "hello:1"
    When 40 seconds pass
    Then 4 pods have restarted
    And 4 pods are ready
    And no pods were replaced

  Scenario: Only three of four can run until there is room
    Given a cluster with 3 nodes of 1 CPU and 2Gi
    And deployment "web" runs 3 replicas of "hello:1" with
      | cpu request | 600m |
    When I scale it to 4 replicas
    Then 3 of 4 pods are ready
    And 1 pod is pending
    And an event "FailedScheduling" about a pod says "Insufficient cpu"
    When I patch deployment "web" with
      """yaml
      spec: {strategy: {type: Recreate, rollingUpdate: null}, template: {spec: {containers: [{name: app, resources: {requests: {cpu: 400m}}}]}}}
      """
    Then 4 pods are ready

  Scenario: A node goes down, and its pods are rebuilt elsewhere
    Given a cluster with 3 nodes
    And deployment "web" runs 4 replicas of "hello:1"
    When a node that runs a "hello:1" pod goes down
    Then within 2 minutes, fewer than 4 pods are ready
    And within 10 minutes, 4 pods are ready

  Scenario: A named node goes down and comes back
    Given a cluster with 2 nodes
    And deployment "web" runs 4 replicas of "hello:1"
    When node "node-2" goes down
    Then within 10 minutes, 4 pods of deployment "web" are ready
    When node "node-2" comes back
    Then within 2 minutes, no pods are terminating
