Feature: Pods of a service account that nobody made are refused by a cluster

  Scenario: absent
    Given the manifest
      """yaml
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web}}
          spec:
            containers: [{name: c, image: "hello:1"}]
            serviceAccountName: builder
      """
    When 5 seconds pass
    Then 1 pod is ready
