"""The series run headless, as `haikuft run` does it: plan, execute, and report the result."""
