"""Read files of examples: find a data set, recognise its format, give each example and its line."""
