"""Tests in a real browser; as a package, they share one browser, and end it before other tests."""
