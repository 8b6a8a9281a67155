"""The loop that writes a reports file: inputs, batches, resuming, Ray."""
