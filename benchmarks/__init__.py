"""What is measured: speed and memory, beside a peer in the same run; nothing here is asserted in a test."""
