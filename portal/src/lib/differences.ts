// What differs between two JSON values, field by field: what an audit entry shows.

export interface Difference {
  /** Names from the outside in, joined by dots. */
  field: string;
  /** As JSON; empty where the field is not there. */
  before: string;
  after: string;
}

type Fields = Map<string, string>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every field that holds no other fields. Lists are told as a whole: their order means something. */
function flatten(value: unknown, at: string, into: Fields): Fields {
  if (isObject(value) && Object.keys(value).length > 0) {
    for (const [name, inner] of Object.entries(value)) {
      flatten(inner, at === "" ? name : `${at}.${name}`, into);
    }
  } else if (value !== null && value !== undefined) {
    into.set(at, typeof value === "string" ? value : JSON.stringify(value));
  }
  return into;
}

export function differences(before: unknown, after: unknown): Difference[] {
  const was = flatten(before, "", new Map());
  const is = flatten(after, "", new Map());
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((field) => ({ field, before: was.get(field) ?? "", after: is.get(field) ?? "" }))
    .filter((row) => row.before !== row.after);
}
