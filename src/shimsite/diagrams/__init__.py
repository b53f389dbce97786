"""Diagrams of who calls whom, drawn from what a notebook recorded, and the steps that a reader goes through in them.

    record.py   notebooks/records/NAME.json, read strictly
    words.py    what is written beside the recorded names, in both languages
    layout.py   where everything stands;  shapes.py  what it is made of, as SVG
    telling.py  the same in sentences
    steps.py    the recorded calls as a list, with the words of facts/tables/steps.yaml
    marks.py    the marks of a page

Nothing is drawn that the record does not hold: it names the programs, sockets, parents, namespaces and versions.
"""
