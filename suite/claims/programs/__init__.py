"""The article's code, each piece by itself and minimally re-created; a file runs as ``python -P -m``.

A program prints one JSON object on its last line. One that the article's code makes fail ends with its traceback.
"""
