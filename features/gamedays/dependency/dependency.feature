Feature: A release loses what its readiness depends on
  Each pod says that it is ready when it reaches its database. A release that cannot reach it, from the
  start or after a while, must not take the pods away that can.

  Background:
    Given the manifest "manifests/shop.yaml"
    And requests to service "shop" every 200 milliseconds

  Scenario: The database cannot be reached
    When I patch deployment "shop" with
      """yaml
      spec:
        template:
          spec:
            containers:
              - name: app
                env: [{name: DATABASE_URL, value: "postgres://nowhere"}, {name: FAIL_READY, value: "true"}]
      """
    Then within 1 minute, exactly 3 pods are ready
    And for 1 minute, exactly 3 pods are ready
    When I undo the rollout
    Then within 2 minutes, the rollout completes
    And throughout, at least 3 pods were ready
    And throughout, every request to service "shop" was answered

  Scenario: The database is lost ten seconds after the start
    When I patch deployment "shop" with
      """yaml
      spec:
        template:
          spec:
            containers:
              - name: app
                env: [{name: DATABASE_URL, value: "postgres://flaky"}, {name: FAIL_READY_AFTER, value: "10s"}]
      """
    Then within 1 minute, at least 1 new pod is ready
    And within 1 minute, no new pods are ready
    And for 1 minute, exactly 3 pods are available
    When I undo the rollout
    Then within 2 minutes, the rollout completes
    And throughout, at least 3 pods were ready
    And throughout, every request to service "shop" was answered
