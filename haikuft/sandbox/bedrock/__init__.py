"""Bedrock's control plane: a module for each resource, with its operations and its rules."""
