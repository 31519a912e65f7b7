// Topic mappings by the rules that gateways have: which one fits a topic, and where it leads. The same rules stand in
// the control plane, which decides what is saved. Pure; each check answers a sentence with the way out, or null.

export interface Mapping {
  topic: string;
  backend: string;
}

export const MAPPING_BYTES_MAX = 512;

const WILDCARD = "*";
const NO_SLASH = "Begin with “/”.";
const BRACES = "A parameter is a name of letters, digits, “_” or “-” in braces, like {room}.";
const CHARACTER = "This cannot stand in a path. Encode it as %XX.";

/** The name of a segment that is a parameter. */
const parameter = (segment: string): string | null =>
  segment.length > 1 && segment.startsWith("{") && segment.endsWith("}") ? segment.slice(1, -1) : null;

const isName = (name: string): boolean => /^[A-Za-z0-9_-]+$/.test(name);

/** Visible ASCII but for what no address has; `%` only before two digits. */
const isText = (text: string): boolean => /^(?:[!$&-;=?-[\]_a-z{}~]|%[0-9A-Fa-f]{2})*$/.test(text);

/** Whether a path has one reading: no empty or dot segments, and encoded only what must be. */
export function isCanonical(path: string): boolean {
  if (!path.startsWith("/") || !/^[!-~]*$/.test(path) || /[\\?#]/.test(path)) return false;
  const segments = path.slice(1).split("/");
  const isPlain = (segment: string, place: number) => {
    const [name] = segment.split(";");
    return name !== "." && name !== ".." && (segment !== "" || place === segments.length - 1);
  };
  if (!segments.every(isPlain)) return false;
  return (path.match(/%.{0,2}/g) ?? []).every((code) => {
    if (!/^%[0-9A-Fa-f]{2}$/.test(code)) return false;
    const decoded = Number.parseInt(code.slice(1), 16);
    const character = String.fromCharCode(decoded);
    return decoded >= 0x20 && decoded !== 0x7f && !/[A-Za-z0-9._~/\\%-]/.test(character);
  });
}

const isPath = (path: string): boolean => isText(path) && isCanonical(path.replace(/[{}]/g, ""));

export function checkTopic(topic: string): string | null {
  if (topic.length > MAPPING_BYTES_MAX) return `This has at most ${MAPPING_BYTES_MAX} bytes.`;
  if (!topic.startsWith("/")) return NO_SLASH;
  if (!isPath(topic)) return CHARACTER;
  const seen = new Set<string>();
  const segments = topic.slice(1).split("/");
  for (const [place, segment] of segments.entries()) {
    if (segment.includes(WILDCARD) && (segment !== WILDCARD || place < segments.length - 1)) {
      return "“*” is the whole last segment of a topic.";
    }
    const name = parameter(segment);
    if (name === null) {
      if (/[{}]/.test(segment)) return "A parameter of a topic is a whole segment, like /rooms/{room}.";
      continue;
    }
    if (!isName(name)) return BRACES;
    if (seen.has(name)) return `The parameter {${name}} stands twice.`;
    seen.add(name);
  }
  return null;
}

/** Text and parameters in turn, text first; `null` where braces have no partner or no name between them. */
function pieces(template: string): string[] | null {
  const parts = template.split(/\{([^{}]*)\}/);
  const isSound = parts.every((part, place) =>
    place % 2 === 0 ? !/[{}]/.test(part) : part === WILDCARD || isName(part),
  );
  return isSound ? parts : null;
}

export function checkBackend({ topic, backend }: Mapping): string | null {
  if (backend.length > MAPPING_BYTES_MAX) return `This has at most ${MAPPING_BYTES_MAX} bytes.`;
  if (!backend.startsWith("/")) return NO_SLASH;
  const [path = ""] = backend.split("?");
  if (!isPath(path) || !isText(backend)) return CHARACTER;
  const parts = pieces(backend);
  if (parts === null) return BRACES;
  const known = topic.split("/").map((segment) => (segment === WILDCARD ? WILDCARD : parameter(segment)));
  const unknown = parts.find((part, place) => place % 2 === 1 && !known.includes(part));
  return unknown === undefined ? null : `The topic has no parameter {${unknown}}.`;
}

/** What the parameters of a mapping are in a topic; `null` where it does not fit. */
function found(pattern: string, topic: string): Map<string, string> | null {
  if (!topic.startsWith("/")) return null;
  const [wanted, given] = [pattern.slice(1).split("/"), topic.slice(1).split("/")];
  const values = new Map<string, string>();
  for (const [place, segment] of wanted.entries()) {
    if (segment === WILDCARD) {
      if (place >= given.length) return null;
      return values.set(WILDCARD, given.slice(place).join("/"));
    }
    const value = given[place];
    const name = parameter(segment);
    if (value === undefined) return null;
    if (name === null ? segment !== value : value === "") return null;
    if (name !== null) values.set(name, value);
  }
  return given.length === wanted.length ? values : null;
}

/** What means something in a query becomes `%XX` there. */
const inQuery = (value: string): string =>
  value.replace(/[&=+;]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

function filled(mapping: Mapping, topic: string): string | null {
  const values = found(mapping.topic, topic);
  const parts = pieces(mapping.backend);
  if (values === null || parts === null) return null;
  let path = "";
  for (const [place, part] of parts.entries()) {
    if (place % 2 === 0) {
      path += part;
      continue;
    }
    const value = values.get(part);
    if (value === undefined) return null;
    path += path.includes("?") ? inQuery(value) : value;
  }
  return isCanonical(path.split("?")[0] ?? "") ? path : null;
}

/** Where a topic leads, and by which mapping; `null`: none fits, and it is appended as it is. */
export function mapped(mappings: Mapping[], topic: string): { place: number; path: string } | null {
  for (const [place, mapping] of mappings.entries()) {
    const path = filled(mapping, topic);
    if (path !== null) return { place, path };
  }
  return null;
}
