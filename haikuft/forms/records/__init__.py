"""Records to page through: which are shown, and each as a conversation with its problems."""
