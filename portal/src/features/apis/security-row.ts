// How clients prove who they are, as the form of its page holds it. Pure.
import type { Security, SecurityInput } from "../../api/types";
import { checkOrigin } from "../../lib/origins";

export interface SecurityRows {
  accepts: string[];
  origins: { origin: string }[];
}

/** Origins that one API may name. */
export const ORIGINS_MAX = 64;

export const securityRows = ({ accepts, origins }: Security): SecurityRows => ({
  accepts,
  origins: origins.map((origin) => ({ origin })),
});

export const securityOf = (rows: SecurityRows, base: Security): SecurityInput => ({
  ...base,
  accepts: rows.accepts,
  origins: rows.origins.map(({ origin }) => origin),
});

/** What is wrong, under the names of the form's fields. */
export function securityErrors(rows: SecurityRows): Record<string, string> {
  const errors: Record<string, string> = {};
  if (rows.accepts.length === 0) errors.accepts = "Choose at least one: else nobody could connect.";
  const all = rows.origins.map(({ origin }) => origin);
  all.forEach((origin, place) => {
    const again = all.indexOf(origin) < place ? "This origin stands here already." : null;
    const told = checkOrigin(origin) ?? again;
    if (told !== null) errors[`origins.${place}.origin`] = told;
  });
  return errors;
}

/** The form's field for each place in REST that a problem can name. */
export function securityFields(rows: SecurityRows): Record<string, string> {
  const fields: Record<string, string> = { "/security/accepts": "accepts", "/security/origins": "origins" };
  rows.accepts.forEach((_, place) => {
    fields[`/security/accepts/${place}`] = "accepts";
  });
  rows.origins.forEach((_, place) => {
    fields[`/security/origins/${place}`] = `origins.${place}.origin`;
  });
  return fields;
}
