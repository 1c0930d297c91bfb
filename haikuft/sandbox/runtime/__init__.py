"""Runtime: resolve the model of a request, parse the request, and write the reply or its stream."""
