// How clients prove who they are, as the form of its page holds it. Pure.
import type { Security, SecurityInput } from "../../api/types";
import { checkOrigin } from "../../lib/origins";
import { checkHeaderName } from "../../lib/rules";

export interface SecurityRows {
  accepts: string[];
  api_key_header: string;
  api_key_query: string;
  origins: { origin: string }[];
}

/** Origins that one API may name. */
export const ORIGINS_MAX = 64;

export const securityRows = ({
  accepts,
  api_key_header,
  api_key_query,
  origins,
}: Security): SecurityRows => ({
  accepts,
  api_key_header,
  api_key_query,
  origins: origins.map((origin) => ({ origin })),
});

export const securityOf = (rows: SecurityRows, base: Security): SecurityInput => ({
  ...base,
  accepts: rows.accepts,
  api_key_header: rows.api_key_header,
  api_key_query: rows.api_key_query,
  origins: rows.origins.map(({ origin }) => origin),
});

/** What is wrong, under the names of the form's fields. */
export function securityErrors(rows: SecurityRows): Record<string, string> {
  const errors: Record<string, string> = {};
  if (rows.accepts.length === 0) errors.accepts = "Choose at least one: else nobody could connect.";
  const header = checkHeaderName(rows.api_key_header);
  if (header !== null) errors.api_key_header = header;
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(rows.api_key_query))
    errors.api_key_query = "Enter a name of letters, digits, “-”, “_” and “.”, at most 64.";
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
  const fields: Record<string, string> = {
    "/security/accepts": "accepts",
    "/security/api_key_header": "api_key_header",
    "/security/api_key_query": "api_key_query",
    "/security/origins": "origins",
  };
  rows.accepts.forEach((_, place) => {
    fields[`/security/accepts/${place}`] = "accepts";
  });
  rows.origins.forEach((_, place) => {
    fields[`/security/origins/${place}`] = `origins.${place}.origin`;
  });
  return fields;
}
