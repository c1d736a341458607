Feature: Fields that are inert with one value

  Scenario: disk
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
            volumes: [{name: v, hostPath: {path: /nowhere, type: Directory}}]
      """
    Then 1 pod is ready

  Scenario: system
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
            os: {name: windows}
      """
    Then 1 pod is ready

  Scenario: probe
    Given the manifest
      """yaml
      apiVersion: v1
      kind: Pod
      metadata: {name: p}
      spec: {containers: [{name: c, image: "hello:1", readinessProbe: {httpGet: {host: example.com, port: 80}}}]}
      """
    Then pod "p" is ready

  Scenario: namespace
    Given the manifest
      """yaml
      apiVersion: v1
      kind: Namespace
      metadata: {name: tight, labels: {pod-security.kubernetes.io/enforce: restricted}}
      """
    Then no pods labelled "app=web" exist
