//! The data plane: listen, handshake, authenticate, admit, dial, relay, drain, report. Its phases are not built yet.
