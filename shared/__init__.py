"""What every division stands on: messages, mailbox, jobs, people, papers; it knows no division."""
