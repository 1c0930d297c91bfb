"""Access: who makes a request, which permissions it requires, and whether policies allow it."""
