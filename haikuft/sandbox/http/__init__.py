"""HTTP: the server, requests and responses, and Bedrock's rest-json protocol and event streams."""
