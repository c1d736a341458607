Feature: Kinds that the simulator does not act on

  Scenario: claim
    Given deployment "web" runs 3 replicas of "hello:1"
    And the manifest
      """yaml
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata: {name: c}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
      """
    Then 3 pods are ready

  Scenario: in passing
    Given deployment "web" runs 3 replicas of "hello:1"
    When I apply
      """yaml
      apiVersion: v1
      kind: LimitRange
      metadata: {name: n}
      spec: {limits: [{type: Container, default: {cpu: 100m}}]}
      """
    Then 3 pods are ready
