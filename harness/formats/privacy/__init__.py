"""What could name a patient in a report, in English and Chinese: found by bounded rules, replaced by consistent surrogates.

Rules find what is written in the ways that they know. They do not promise that a text is clean.
"""
