Feature: A manifest with a field that there is not

  Scenario: misspelt
    Given the manifest
      """yaml
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "hello:1", readynessProbe: {}}]}}}
      """
    Then 1 pod is ready
