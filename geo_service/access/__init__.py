"""Who may see and change what: accounts, sessions, tokens and the area each is held to."""
