//! The control plane: REST API, authorization server, snapshot feed. Files beside this one are joined as they are finished.
