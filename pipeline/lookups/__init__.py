"""Asks stores' APIs for what hooks lack: survey answers, variants, and the addresses of gift recipients."""
