Feature: Kinds that the simulator does not act on

  Scenario: policy
    Given deployment "web" runs 3 replicas of "hello:1"
    And the manifest
      """yaml
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: c}
      spec: {podSelector: {}}
      """
    Then 3 pods are ready

  Scenario: in passing
    Given deployment "web" runs 3 replicas of "hello:1"
    When I apply
      """yaml
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: {name: n}
      spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
      """
    Then 3 pods are ready
