"""Languages of the pages: which one a reader gets, and where its texts come from.

    templates, Python ─ po_files ─→ <app>/locale/<language>/LC_MESSAGES/django.po ─ mo_files ─→ django.mo → Django

The .po files are the source, in the repository; the .mo files beside them are compiled at start, by Babel: nothing
here needs GNU gettext.
"""
