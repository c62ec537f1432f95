"""What a person or a program reads: text, JSON, HTML, DOT."""
