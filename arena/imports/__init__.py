"""What is brought from elsewhere: votes, prompts, images, as files of rows (`tabular`) and ZIPs (`archives`)."""
