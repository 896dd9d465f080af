//! Services and the calls between them: server, client, selector.
