"""Runtime: the model of a request, and the formats in which it is asked and answers."""
