Feature: Fields that a cluster would act on and the simulator does not

  Scenario: volume
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
            volumes: [{name: v, nfs: {server: s, path: /}}]
      """
    Then 1 pod is ready

  Scenario: runtime
    Given the manifest
      """yaml
      apiVersion: v1
      kind: Pod
      metadata: {name: p, labels: {app: p}}
      spec: {runtimeClassName: kata, containers: [{name: c, image: "hello:1"}]}
      """
    Then pod "p" is ready
