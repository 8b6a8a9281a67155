"""CheXOne, MedGemma and other vision-language chat models, through stock classes."""
