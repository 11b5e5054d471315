"""A server on loopback that speaks the providers' own dialects, for tests, the demo and a first run without a
key.

It follows the providers' pages, never the client: whatever a page does not offer is refused. Its pictures are
computed from what was sent and carry a visible SANDBOX mark.

    server.py      Sandbox: start, stop, addresses           dialects/     one module a provider
    behaviour.py   what a sandbox does, faults included      art/          the parts of a picture
    app.py         the path of one request                   painter.py    an order in, pictures out
    control.py     /sandbox/…: truth and controls for tests
"""
