// Rules of single fields, checked while typing. The same rules stand in the control plane, which decides; these
// only save a round trip. Each answers a sentence with the way out, or null.

export const NAME_CHARS_MAX = 50;
export const CONTEXT_CHARS_MAX = 200;
export const VERSION_CHARS_MAX = 30;
export const URL_BYTES_MAX = 2_048;
export const DESCRIPTION_BYTES_MAX = 32_766;
export const APPLICATION_NAME_CHARS_MAX = 100;
export const HEADER_NAME_BYTES_MAX = 128;
/** The least time between health checks that are on. */
export const HEALTH_INTERVAL_MILLIS_MIN = 100;

const RESERVED = "~!@#;:%^*()+={}|\\<>\"',&$[]/";

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

function reserved(noun: string, text: string): string | null {
  const bad = [...text].find((character) => RESERVED.includes(character));
  if (bad) return `A ${noun} cannot contain “${bad}”.`;
  if ([...text].some(isControl)) return `A ${noun} cannot contain control characters.`;
  return null;
}

export function checkName(text: string): string | null {
  if (text === "") return "Enter a name.";
  if ([...text].length > NAME_CHARS_MAX) return `A name has at most ${NAME_CHARS_MAX} characters.`;
  const found = reserved("name", text);
  if (found) return found;
  if (text.trim() !== text || text.includes("  ")) {
    return "A name has no spaces at its ends and no two spaces in a row.";
  }
  return null;
}

export function checkVersion(text: string): string | null {
  if (text === "") return "Enter a version.";
  if ([...text].length > VERSION_CHARS_MAX) return `A version has at most ${VERSION_CHARS_MAX} characters.`;
  const found = reserved("version", text);
  if (found) return found;
  if (/\s/.test(text)) return "A version cannot contain spaces.";
  if (text === "." || text === ".." || ![...text].every((character) => character.charCodeAt(0) < 0x80)) {
    return "A version is part of an address: use letters, digits, dots, hyphens or underscores.";
  }
  return null;
}

/** The context with the leading `/` that the control plane would add. */
export function normalContext(text: string): string {
  return text === "" || text.startsWith("/") ? text : `/${text}`;
}

function parenthesesBalance(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

export function checkContext(typed: string): string | null {
  const text = normalContext(typed);
  if (text === "" || text === "/") return "Enter a context, for example /orders.";
  if (text.length > CONTEXT_CHARS_MAX) return `A context has at most ${CONTEXT_CHARS_MAX} characters.`;
  const bad = [...text].find((character) => !/[A-Za-z0-9_${}.;()/-]/.test(character));
  if (bad) return `A context cannot contain “${bad}”.`;
  if (text.endsWith("/")) return "A context cannot end in “/”.";
  const segments = text.slice(1).split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    return "A context cannot contain “//”, “/./” or “/../”.";
  }
  if (text === "/t" || text.includes("/t/")) return "“/t/” is reserved. Choose another context.";
  const templates = segments.filter((segment) => segment === "{version}").length;
  const braces = [...text].filter((character) => character === "{" || character === "}").length;
  if (templates > 1 || braces !== templates * 2) {
    return "“{version}” may stand once, as a whole segment; no other braces.";
  }
  if (!parenthesesBalance(text)) return "Parentheses in a context must be balanced.";
  return null;
}

/** A context made of the name, for as long as nobody has typed one. */
export function suggestContext(name: string): string {
  const words = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return words === "" ? "" : `/${words === "t" ? "t-api" : words}`.slice(0, CONTEXT_CHARS_MAX);
}

export function checkEndpointUrl(text: string): string | null {
  if (text === "") return "Enter the address of the backend, for example ws://localhost:8080.";
  if (new TextEncoder().encode(text).length > URL_BYTES_MAX)
    return `An address has at most ${URL_BYTES_MAX} bytes.`;
  if (/\s/.test(text) || [...text].some(isControl)) {
    return "An address cannot contain spaces or control characters.";
  }
  if (!text.startsWith("ws://") && !text.startsWith("wss://")) {
    return "The address must begin with ws:// or wss:// (secured).";
  }
  const rest = text.slice(text.indexOf("://") + 3);
  if (/^($|[/?#:])/.test(rest)) return "The address names no host.";
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "This is not an address that can be connected to.";
  }
  if (url.username !== "" || url.password !== "") return "The address cannot carry a user name or password.";
  if (text.includes("#")) return "The address cannot have a “#” part.";
  if (url.port === "0") return "Port 0 cannot be connected to.";
  return null;
}

/** The name of a header: a token (RFC 9110 section 5.6.2). */
export function checkHeaderName(text: string): string | null {
  if (text === "") return "Enter the name of a header.";
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text)) return "A header's name has letters, digits and hyphens.";
  return text.length > HEADER_NAME_BYTES_MAX
    ? `A header's name has at most ${HEADER_NAME_BYTES_MAX} bytes.`
    : null;
}

export function checkDescription(text: string): string | null {
  return new TextEncoder().encode(text).length > DESCRIPTION_BYTES_MAX
    ? `A description has at most ${DESCRIPTION_BYTES_MAX} bytes.`
    : null;
}

export function checkApplicationName(text: string): string | null {
  if (text.trim() === "") return "Enter a name.";
  if (text.trim() !== text) return "A name has no spaces at its ends.";
  if ([...text].length > APPLICATION_NAME_CHARS_MAX) {
    return `A name has at most ${APPLICATION_NAME_CHARS_MAX} characters.`;
  }
  if ([...text].some(isControl)) return "A name cannot contain control characters.";
  return null;
}

/** Where clients will connect: the version takes the place of `{version}`, else it follows the context. */
export function connectAddress(base: string, context: string, version: string): string {
  const path = normalContext(context);
  const shown = version === "" ? "…" : version;
  const full = path.includes("{version}") ? path.replace("{version}", shown) : `${path || "/…"}/${shown}`;
  return `${base.replace(/\/$/, "")}${full}`;
}

/** The lines of a text that are not empty, each an address. */
export function addresses(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
