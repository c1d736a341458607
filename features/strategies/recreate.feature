Feature: Recreate: never two versions at once, and downtime in between
  For what cannot run twice. All old pods are gone before the first new one comes.

  Scenario: No new pod comes while an old one is there
    Given the manifest
      """yaml
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: ledger
      spec:
        replicas: 3
        strategy:
          type: Recreate
        selector:
          matchLabels: {app: ledger}
        template:
          metadata:
            labels: {app: ledger}
          spec:
            containers:
              - name: app
                image: ledger:v1
      """
    When I update deployment "ledger" to v2
    Then the rollout completes
    And three v2 pods are running
    And at some time, no pods were ready
    And throughout, at most 3 pods existed
