"""The shop's front end: its page and its JSON API."""
