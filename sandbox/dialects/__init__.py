"""The providers' dialects, each written from that provider's pages alone."""
