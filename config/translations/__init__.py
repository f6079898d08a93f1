"""Languages of the pages: which one a reader gets, and where its texts come from.

    templates, Python ─ collecting ─→ <app>/locale/<language>/LC_MESSAGES/django.po ─ compiling ─→ django.mo → Django

The .po files are the source, in the repository; the .mo files beside them are compiled at start, by Babel: nothing
here needs GNU gettext.
"""
