Feature: A job is made again and again
  A cronjob makes a job at each time of its schedule, and keeps the last few that have ended.

  Scenario: Every minute
    Given image "report:1" completes after 5 seconds
    And the manifest
      """yaml
      apiVersion: batch/v1
      kind: CronJob
      metadata:
        name: report
      spec:
        schedule: "* * * * *"
        successfulJobsHistoryLimit: 2
        jobTemplate:
          spec:
            template:
              metadata:
                labels: {app: report}
              spec:
                restartPolicy: Never
                containers:
                - name: app
                  image: report:1
      """
    When 5 minutes pass
    Then at least 2 pods labelled "app=report" show Completed
    And throughout, at most 1 pod labelled "app=report" was active
    And between 4 and 5 pods labelled "app=report" were created
    And exactly 2 pods labelled "app=report" exist

  Scenario: One that is still running when the next is due
    Given image "report:1" completes after 90 seconds
    And the manifest
      """yaml
      apiVersion: batch/v1
      kind: CronJob
      metadata:
        name: report
      spec:
        schedule: "* * * * *"
        concurrencyPolicy: Forbid
        jobTemplate:
          spec:
            template:
              metadata:
                labels: {app: report}
              spec:
                restartPolicy: Never
                containers:
                - name: app
                  image: report:1
      """
    When 5 minutes pass
    Then throughout, at most 1 pod labelled "app=report" was active
    And an event "JobAlreadyActive" about cronjob "report" says "prior execution is running"
