"""What several published systems are built of."""
