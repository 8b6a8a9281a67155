"""BERT, CheXbert and the reading of checkpoints."""
