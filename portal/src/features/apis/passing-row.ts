// What passes to a backend beside the messages, as the form of its page holds it: each rule a row of words. Pure.
import type { Api, HeaderRulesInput, PassingBounds, UpdateApi } from "../../api/types";
import { checkHeaderName } from "../../lib/rules";
import { checkBackend, checkTopic, type Mapping } from "../../lib/topic-mapping";

export interface PassingRows {
  forward: string;
  allow: { name: string }[];
  deny: { name: string }[];
  rename: { from: string; to: string }[];
  set: { name: string; value: string }[];
  backend_jwt: boolean;
  mappings: Mapping[];
}

/** Rules that are lists. */
export type PassingList = "allow" | "deny" | "rename" | "set" | "mappings";

const names = (given: string[]) => given.map((name) => ({ name }));

export function rowsOf({ headers, mappings }: Pick<Api, "headers" | "mappings">): PassingRows {
  const { forward, allow, deny, rename, set, backend_jwt } = headers;
  return { forward, allow: names(allow), deny: names(deny), rename, set, backend_jwt, mappings };
}

export function passingOf(rows: PassingRows, base: Api): Pick<UpdateApi, "headers" | "mappings"> {
  const { forward, rename, set, backend_jwt, mappings } = rows;
  const headers: HeaderRulesInput = {
    ...base.headers,
    forward,
    allow: rows.allow.map(({ name }) => name),
    deny: rows.deny.map(({ name }) => name),
    rename,
    set,
    backend_jwt,
  };
  return { headers, mappings };
}

/** Why a value cannot be filled in, or null. */
export function checkValue(value: string, placeholders: string[]): string | null {
  const parts = value.split(/\{([^{}]*)\}/);
  if (parts.some((part, place) => place % 2 === 0 && /[{}]/.test(part))) {
    return "A “{” needs its “}”, with a name between them.";
  }
  const unknown = parts.find((part, place) => place % 2 === 1 && !placeholders.includes(part));
  return unknown === undefined ? null : `There is no {${unknown}}.`;
}

const twice = (all: string[], place: number): boolean =>
  all.slice(0, place).some((before) => before.toLowerCase() === all[place]?.toLowerCase());

/** What is wrong, under the names of the form's fields. */
export function passingErrors(rows: PassingRows, bounds: PassingBounds): Record<string, string> {
  const errors: Record<string, string> = {};
  const note = (field: string, told: string | null) => {
    if (told !== null) errors[field] = told;
  };
  const named = (list: PassingList, leaf: string, all: string[]) => {
    all.forEach((name, place) => {
      const again = twice(all, place) ? "This header stands here already." : null;
      note(`${list}.${place}.${leaf}`, checkHeaderName(name) ?? again);
    });
  };
  named(
    "allow",
    "name",
    rows.allow.map(({ name }) => name),
  );
  named(
    "deny",
    "name",
    rows.deny.map(({ name }) => name),
  );
  named(
    "rename",
    "from",
    rows.rename.map(({ from }) => from),
  );
  named(
    "rename",
    "to",
    rows.rename.map(({ to }) => to),
  );
  named(
    "set",
    "name",
    rows.set.map(({ name }) => name),
  );
  rows.set.forEach(({ value }, place) => {
    note(`set.${place}.value`, checkValue(value, bounds.placeholders));
  });
  const topics = rows.mappings.map(({ topic }) => topic);
  rows.mappings.forEach((mapping, place) => {
    const again = topics.indexOf(mapping.topic) < place ? "This topic is mapped already." : null;
    note(`mappings.${place}.topic`, checkTopic(mapping.topic) ?? again);
    note(`mappings.${place}.backend`, checkBackend(mapping));
  });
  return errors;
}

/** The form's field for each place in REST that a problem can name. */
export function passingFields(rows: PassingRows): Record<string, string> {
  const fields: Record<string, string> = {
    "/headers": "forward",
    "/headers/forward": "forward",
    "/headers/backend_jwt": "backend_jwt",
    "/mappings": "mappings",
  };
  const add = (list: PassingList, at: string, leaves: string[]) => {
    fields[at] = list;
    rows[list].forEach((_, place) => {
      fields[`${at}/${place}`] = `${list}.${place}.${leaves[0]}`;
      for (const leaf of leaves) fields[`${at}/${place}/${leaf}`] = `${list}.${place}.${leaf}`;
    });
  };
  add("allow", "/headers/allow", ["name"]);
  add("deny", "/headers/deny", ["name"]);
  add("rename", "/headers/rename", ["from", "to"]);
  add("set", "/headers/set", ["name", "value"]);
  add("mappings", "/mappings", ["topic", "backend"]);
  return fields;
}
