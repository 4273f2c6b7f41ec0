"""What a connection sends, and under which names: chosen for each connection, and applied to messages."""
