"""Diagrams of who calls whom, drawn from what a notebook recorded, and the steps that a reader goes through in them.

    chain.py       notebooks/records/NAME.json, read strictly
    words.py       what is written beside the recorded names, in both languages
    geometry.py    where everything stands;  layout.py  what stands there;  shapes.py  what it is made of, as SVG
    alt_text.py    the same in sentences
    steps.py       the recorded calls as a list, with the words of facts/tables/steps.yaml
    directives.py  the marks of a page

Nothing is drawn that the record does not hold: it names the programs, sockets, parents, namespaces and versions.
"""
