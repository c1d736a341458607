Feature: Kinds that the simulator does not act on

  Scenario: stateful set
    Given statefulset "db" runs 3 replicas of "hello:1"
    Then 3 pods are ready

  Scenario: job
    Given the manifest
      """yaml
      apiVersion: batch/v1
      kind: Job
      metadata: {name: j}
      spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "hello:1"}]}}}
      """
    Then no pods labelled "job-name=j" exist

  Scenario: autoscaler
    Given deployment "web" runs 3 replicas of "hello:1"
    And the manifest
      """yaml
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: {name: h}
      spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
      """
    Then 3 pods are ready

  Scenario: in passing
    Given deployment "web" runs 3 replicas of "hello:1"
    When I apply
      """yaml
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: n}
      spec: {podSelector: {}}
      """
    Then 3 pods are ready
