"""The world around the program: a certificate authority, a DNS, clients, a browser."""
