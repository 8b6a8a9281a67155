"""What comes from outside, by name (decision 21 in docs/architecture.md): a catalogue, and how each entry is fetched and checked."""
