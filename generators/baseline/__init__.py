"""The small generator that `ranscore train-baseline` trains."""
