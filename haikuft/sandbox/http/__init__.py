"""HTTP: the server, its messages, and Bedrock's rest-json protocol and event streams."""
