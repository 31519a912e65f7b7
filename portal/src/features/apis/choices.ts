// Words of REST as people choose between them: the name of each, and what follows from it. Pure.

import type { Choice } from "../../ui/choice-field";

export const BALANCES: Choice[] = [
  {
    word: "round_robin",
    label: "Round robin",
    notices: "A new session goes to the next address in turn.",
  },
  {
    word: "failover",
    label: "Failover",
    notices: "Every session goes to the first address; the others are for when it does not work.",
  },
  {
    word: "least_connections",
    label: "Least connections",
    notices: "A new session goes to the address with the fewest open sessions of this gateway.",
  },
  {
    word: "sticky_client",
    label: "Sticky client",
    notices: "All sessions from one client address go to the same address of the backend.",
  },
  {
    word: "sticky_header",
    label: "Sticky header",
    notices:
      "All sessions whose handshake has the same value of one header go to the same address of the backend; those without it as with Sticky client.",
  },
];

export const DIRECTIONS: Choice[] = [
  { word: "both", label: "Client and backend", notices: "Messages pass both ways." },
  { word: "publish", label: "The client alone (publish)", notices: "Clients send, and are sent nothing." },
  {
    word: "subscribe",
    label: "The backend alone (subscribe)",
    notices: "Clients listen.",
  },
];

export const MISDIRECTED: Choice[] = [
  {
    word: "close",
    label: "Close",
    notices: "The session ends with code 1008, so that whoever wrote the client learns of it.",
  },
  {
    word: "drop",
    label: "Drop",
    notices: "The message is read and thrown away, and the session goes on.",
  },
];

export const COMPRESSIONS: Choice[] = [
  {
    word: "off",
    label: "Off",
    notices: "Compression is not agreed with anybody: a client that offers it goes on without.",
  },
  {
    word: "pass",
    label: "Pass",
    notices:
      "Client and backend agree on it. Compressed messages pass unread: their text is not checked, and their sizes are those of the compressed form.",
  },
  {
    word: "terminate",
    label: "Terminate",
    notices:
      "Either side agrees on it with the gateway, for itself. Every message is checked and measured as it is; a client that sends a damaged one is closed with code 1007.",
  },
];

export const CREDENTIALS: Choice[] = [
  {
    word: "none",
    label: "None",
    notices: "The backend is asked without a credential.",
  },
  {
    word: "basic",
    label: "User name and password",
    notices: "Sent as Authorization: Basic in every handshake.",
  },
  {
    word: "header",
    label: "A header of its own",
    notices: "One header with a secret value, for example X-Api-Key, in every handshake.",
  },
  {
    word: "oauth",
    label: "OAuth client credentials",
    notices:
      "Sent as Authorization: Bearer, with a token that the gateway asks for and renews before it expires.",
  },
];

export const FORWARDS: Choice[] = [
  {
    word: "all",
    label: "All headers",
    notices: "What a client sends reaches the backend, unless a rule below says otherwise.",
  },
  {
    word: "listed",
    label: "Only listed headers",
    notices: "Only what is allowed, renamed or set below reaches the backend.",
  },
];

/** Credentials in their places. */
export const WAYS: Choice[] = [
  {
    word: "oauth_header",
    label: "Access token in the Authorization header",
    notices: "Authorization: Bearer, from programs. A browser's WebSocket cannot send it. Default on.",
  },
  {
    word: "oauth_query",
    label: "Access token in the query",
    notices:
      "access_token=… as a part of the address, which others may write down: browser histories, proxies, shells. Stripped before the backend. Default on; an operator can switch it off for every API.",
  },
  {
    word: "oauth_subprotocol",
    label: "Access token as a subprotocol",
    notices:
      "bearer and the token in Sec-WebSocket-Protocol, from a browser: new WebSocket(url, ['bearer', token]). Default on.",
  },
  {
    word: "ticket",
    label: "One-time ticket",
    notices:
      "For web pages: bought with an access token at the gateway, opens one WebSocket within 30 seconds, in the query (ticket=…) or as a subprotocol. What ends up in a log of others is used up by then. Default on.",
  },
  {
    word: "api_key_header",
    label: "API key in a header",
    notices: "From programs, in the header named below. Default off.",
  },
  {
    word: "api_key_query",
    label: "API key in the query",
    notices:
      "As a part of the address, which others may write down. Stripped before the backend. Default off; an operator can switch it off for every API.",
  },
  {
    word: "basic",
    label: "Id and secret of a key (Basic)",
    notices:
      "Authorization: Basic with the client id and the secret of an application's key. A browser repeats it for any page, so only pages of named origins may connect with it. Default off.",
  },
  {
    word: "mutual_tls",
    label: "Certificate in TLS (mutual TLS)",
    notices:
      "A certificate of an application, shown when the connection is made; its key never leaves the client. Clients are asked for one on the port with TLS while an API takes them. A browser shows it to any page, so only pages of named origins may connect with it. Default off.",
  },
  {
    word: "none",
    label: "No credential",
    notices:
      "Whoever comes is let in, to every topic that leaves a direction without a scope, and each address has 500 messages a minute. A credential that is presented all the same has to be good and of a kind that is on. Pages of every origin may connect, unless some are named below. Default off.",
  },
];

export const labelOf = (choices: Choice[], word: string): string =>
  choices.find((choice) => choice.word === word)?.label ?? word;
