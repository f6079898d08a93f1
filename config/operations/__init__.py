"""What an operator does to the whole site: back up, restore, prune. It sees every app, so no app can hold it.

alerts              what needs a person: said when it begins, once a day while it lasts, and when it is over
state               how the whole site is, as values
provider_state      what each provider has to do
views               both as the operator's page and as figures for Prometheus
backups             a backup is one tar file: rows and files, restored whole
postgres            PostgreSQL's own programs, run on the site's database
retention           which rows are deleted, each kind after a time of its own (`prune`)
partitions          a table for each month's battles and votes, where one of each is too large to be maintained
checks              what `migrate` and `check` look at in the database before anything is written
settings_reference  docs/settings.md, generated from `.env.example`
tasks               the periodic tasks
management          the commands
apps                what Django starts with: translations are compiled where they have changed
"""
