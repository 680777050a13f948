"""Imports that go on where a killed worker stopped: `stages` keep what was read, `marks` say how far it is, `steps` do the rest,
`fates` remember what became of each line.
"""
