"""Jobs: customization and evaluation jobs, the threads they run in, and their files in S3."""
