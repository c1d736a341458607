Feature: A job runs to its end
  A migration of a database: so many pods have to succeed, so many at a time, and failures are tried
  again, later and later, until there were too many.

  Scenario: All parts of it succeed, two at a time
    Given image "migrate:1" completes after 5 seconds
    When I apply
      """yaml
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: migrate
      spec:
        completions: 5
        parallelism: 2
        template:
          spec:
            restartPolicy: Never
            containers:
            - name: app
              image: migrate:1
      """
    Then job "migrate" has condition "Complete" that is "True" with reason "CompletionsReached"
    And 5 pods show Completed
    And the "status.succeeded" of job "migrate" is 5
    And throughout, at most 2 pods were active
    And pods were never restarted

  Scenario: It fails too often
    Given image "migrate:1" crashes after 2 seconds with exit code 3
    When I apply
      """yaml
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: migrate
      spec:
        backoffLimit: 2
        template:
          spec:
            restartPolicy: Never
            containers:
            - name: app
              image: migrate:1
      """
    Then job "migrate" has condition "Failed" that is "True" with reason "BackoffLimitExceeded"
    And 3 pods show Error
    And an event "BackoffLimitExceeded" about job "migrate" says "backoff limit"
    And throughout, at most 1 pod was active

  Scenario: It takes too long
    Given image "migrate:1" completes after 10 minutes
    When I apply
      """yaml
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: migrate
      spec:
        activeDeadlineSeconds: 60
        template:
          spec:
            restartPolicy: Never
            containers:
            - name: app
              image: migrate:1
      """
    Then within 2 minutes, job "migrate" has condition "Failed" that is "True" with reason "DeadlineExceeded"
    And no pods are active
    And at some time, 1 pod was ready

  Scenario: It is suspended, and goes on later
    Given image "migrate:1" completes after 20 seconds
    When I apply
      """yaml
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: migrate
      spec:
        template:
          spec:
            restartPolicy: Never
            containers:
            - name: app
              image: migrate:1
      """
    Then 1 pod is ready
    When I patch job "migrate" with
      """yaml
      spec: {suspend: true}
      """
    Then no pods exist
    And job "migrate" has condition "Suspended" that is "True" with reason "JobSuspended"
    When I patch job "migrate" with
      """yaml
      spec: {suspend: false}
      """
    Then job "migrate" has condition "Complete" that is "True"
