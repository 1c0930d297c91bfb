"""Execute one notebook after another without a browser: kernels, papermill, and a bar."""
