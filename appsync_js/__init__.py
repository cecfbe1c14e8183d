"""The APPSYNC_JS handlers of the Event API, one module per channel namespace, as they are deployed."""
