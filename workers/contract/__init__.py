"""What a shop's backend imports: messages, task names and the producer. No JAX, no SQL."""
