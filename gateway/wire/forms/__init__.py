"""Messages on paper: the treaty's form as a page and as a PDF, and the filled reply form read back.

labels.py and layout.py read data, writing.py and form.py make a `Form` of a message, page.py writes it as HTML, press.py turns
that into a PDF in a process of its own. filled.py reads a PDF that somebody sent back.
"""
