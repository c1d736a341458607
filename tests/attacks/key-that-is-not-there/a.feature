Feature: A volume asks for a key that its ConfigMap does not have

  Scenario: absent
    Given the manifest
      """yaml
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: settings}
      data: {a: "1"}
      """
    And the manifest
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
            volumes: [{name: v, configMap: {name: settings, items: [{key: b, path: b}]}}]
      """
    When 5 seconds pass
    Then 1 pod is ready
