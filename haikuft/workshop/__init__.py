"""The workshop beside the series: failures to meet and fix, and exercises that check themselves."""
