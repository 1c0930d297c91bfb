"""Many customization jobs that differ in hyperparameters or in their data, and what they show."""
