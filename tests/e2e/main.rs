//! What needs real outside programs: slapd, nginx, Chromium, other people's clients.
