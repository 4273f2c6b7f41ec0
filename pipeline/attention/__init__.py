"""The one list of what needs a person: computed here, read by commands, pages, figures, mails and notices."""
