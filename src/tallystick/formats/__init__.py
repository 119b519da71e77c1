"""Files of others, read into plain values: one module per standard.

- `ubl.py`: read this first; a folder of invoices, one decision per file.
- `ubl_xml.py`: bytes to elements and fields: no document type, no network, limits.
- `ubl_document.py`: elements to an invoice; which field is which term of EN 16931.
- `ubl_rules.py`: what refuses an invoice, what warns.
- `ubl_numbers.py`: what the files of a folder are to each other.
- `ubl_decision.py`: what became of one file.
- `codes.py`: every reason and every warning.
- `fingerprint.py`: when two documents are the same document.
- `commitment.py`: a document as salted fields, so that one can be shown alone.
"""
