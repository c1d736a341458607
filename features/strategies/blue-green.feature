Feature: Blue and green: all traffic switches at once, and back
  Both versions run; the service's selector says which of them gets the requests.

  Background:
    Given the manifest "manifests/blue-green.yaml"
    And requests to service "shop" every 100 milliseconds

  Scenario: Switch to green, and back to blue
    Then service "shop" has endpoints only on v1 pods
    When I send 20 requests to service "shop"
    Then requests to service "shop" are answered by v1 only
    When service "shop" switches to pods labelled "app=shop,version=green"
    Then service "shop" has endpoints only on v2 pods
    And service "shop" has 3 endpoints
    When 2 seconds pass
    And I send 20 requests to service "shop"
    Then requests to service "shop" are answered by v2 only
    When service "shop" switches to pods labelled "app=shop,version=blue"
    Then service "shop" has endpoints only on v1 pods
    When 2 seconds pass
    And I send 20 requests to service "shop"
    Then requests to service "shop" are answered by v1 only
    And throughout, every request to service "shop" was answered
    And no pods of deployment "shop-blue" were replaced
    And no pods of deployment "shop-green" were replaced
