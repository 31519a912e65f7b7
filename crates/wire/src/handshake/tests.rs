//! Tables of the handshake of clients.
