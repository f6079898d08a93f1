"""At the edge of the web: who asks, what a URL says, what search engines read, and cells that are safe to hand out.

client_address    the IP address of a client, for throttling alone
query_parameters  query parameters of pages; a value that cannot be used is never replaced in silence
slugs             slugs with dots
sentence          English sentences that can still be said in another language
numbers           numbers as pages write them, in the reader's language
json_ld           structured data for search engines
spreadsheets      cells of CSV files that people open in a spreadsheet
history           who changed what in the admin
selection         rows that staff choose in the admin; an id that no row can have is refused
"""
