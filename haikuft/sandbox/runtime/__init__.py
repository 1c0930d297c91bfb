"""Runtime: which model a request asks, what it asks, and the reply, whole or as a stream."""
