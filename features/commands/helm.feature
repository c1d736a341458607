@needs-helm
Feature: Releases of a chart
  Scenario: A bad upgrade is taken back before anybody notices
    Given image "acme/shop:2.0.0" never becomes ready
    And the chart "charts/shop" as release "shop"
    And requests to service "shop" every 100 milliseconds
    When I run `helm upgrade shop charts/shop --set tag=2.0.0 --atomic --timeout 2m`
    Then the command fails with "deadline exceeded"
    And 3 "acme/shop:1.0.0" pods are ready
    And throughout, every request to service "shop" was answered
    When I run `helm history shop`
    Then the output contains "Rollback to 1"

  Scenario: A release goes back to an earlier revision
    Given the chart "charts/shop" as release "shop"
    When I run `helm upgrade shop charts/shop --set tag=1.1.0 --wait`
    Then 3 "acme/shop:1.1.0" pods are ready
    When I run `helm rollback shop 1 --wait`
    Then the command succeeds
    And 3 "acme/shop:1.0.0" pods are ready
