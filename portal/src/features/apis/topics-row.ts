// The topics of an API and the scopes that they ask for, as the form of their page holds them. Pure.
import type { Api, ScopeInput, TopicsInput } from "../../api/types";
import { checkTopic } from "../../lib/topic-mapping";

export interface TopicRow {
  path: string;
  description: string;
  direction: string;
  /** Whether it needs no credential. */
  open: boolean;
  /** Names, with spaces between them. */
  publish_scopes: string;
  subscribe_scopes: string;
  /** What holds all who are on it; chosen beside the plans, and kept here. */
  api_policy: string | null;
}

export interface ScopeRow {
  name: string;
  display_name: string;
  description: string;
  roles: string[];
}

export interface TopicRows {
  declared: TopicRow[];
  misdirected: string;
  scopes: ScopeRow[];
}

type Designed = Pick<Api, "topics" | "scopes">;

/** Topics that one API may declare. */
export const TOPICS_MAX = 128;
/** Scopes that one API may define. */
export const SCOPES_MAX = 64;
const DESCRIPTION_MAX = 512;
const NAME_MAX = 255;
const RESERVED = ["openid", "profile", "email", "address", "phone", "offline_access"];

export const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");

export const topicRows = ({ topics, scopes }: Designed): TopicRows => ({
  declared: topics.declared.map(({ publish_scopes, subscribe_scopes, ...topic }) => ({
    ...topic,
    publish_scopes: publish_scopes.join(" "),
    subscribe_scopes: subscribe_scopes.join(" "),
  })),
  misdirected: topics.misdirected,
  scopes: scopes.map((scope) => ({ ...scope })),
});

export const topicsOf = ({
  declared,
  misdirected,
  scopes,
}: TopicRows): { topics: TopicsInput; scopes: ScopeInput[] } => ({
  topics: {
    declared: declared.map(({ publish_scopes, subscribe_scopes, ...topic }) => ({
      ...topic,
      publish_scopes: words(publish_scopes),
      subscribe_scopes: words(subscribe_scopes),
    })),
    misdirected,
  },
  scopes,
});

function checkScope(name: string): string | null {
  if (name === "") return "Enter the name that tokens say.";
  if (RESERVED.includes(name)) return `“${name}” is about what a client may learn of a person.`;
  if (name.length > NAME_MAX) return `A scope has at most ${NAME_MAX} bytes.`;
  return /^[!#-[\]-~]+$/.test(name)
    ? null
    : "A scope has visible ASCII characters, but no quote, backslash or space.";
}

const NOTHING_LEFT = "Whoever has no credential has no scope. Leave a direction that asks for none.";

/** Whether there is something to do without a scope. */
const leavesADirection = ({ direction, publish_scopes, subscribe_scopes }: TopicRow): boolean =>
  (direction !== "subscribe" && words(publish_scopes).length === 0) ||
  (direction !== "publish" && words(subscribe_scopes).length === 0);

/** What is wrong, under the names of the form's fields. */
export function topicErrors({ declared, scopes }: TopicRows): Record<string, string> {
  const errors: Record<string, string> = {};
  const note = (field: string, told: string | null) => {
    if (told !== null) errors[field] = told;
  };
  const tooLong = (text: string, max: number) =>
    [...text].length > max ? `At most ${max} characters.` : null;
  const paths = declared.map(({ path }) => path);
  const names = scopes.map(({ name }) => name);
  declared.forEach((topic, place) => {
    const at = `declared.${place}`;
    const again = paths.indexOf(topic.path) < place ? "This topic is declared already." : null;
    note(`${at}.path`, checkTopic(topic.path) ?? again);
    note(`${at}.description`, tooLong(topic.description, DESCRIPTION_MAX));
    note(`${at}.open`, topic.open && !leavesADirection(topic) ? NOTHING_LEFT : null);
    for (const leaf of ["publish_scopes", "subscribe_scopes"] as const) {
      const unknown = words(topic[leaf]).find((name) => !names.includes(name));
      note(
        `${at}.${leaf}`,
        unknown === undefined ? null : `There is no scope “${unknown}”. Define it below.`,
      );
    }
  });
  scopes.forEach((scope, place) => {
    const at = `scopes.${place}`;
    const again = names.indexOf(scope.name) < place ? "This scope is defined already." : null;
    note(`${at}.name`, checkScope(scope.name) ?? again);
    note(`${at}.display_name`, tooLong(scope.display_name, NAME_MAX));
    note(`${at}.description`, tooLong(scope.description, DESCRIPTION_MAX));
  });
  return errors;
}

/** The form's field for each place in REST that a problem can name. */
export function topicFields({ declared, scopes }: TopicRows): Record<string, string> {
  const fields: Record<string, string> = {
    "/topics": "declared",
    "/topics/declared": "declared",
    "/topics/misdirected": "misdirected",
    "/scopes": "scopes",
  };
  declared.forEach((topic, place) => {
    const [at, of] = [`/topics/declared/${place}`, `declared.${place}`];
    for (const leaf of ["path", "description", "direction", "open", "api_policy"])
      fields[`${at}/${leaf}`] = `${of}.${leaf}`;
    for (const leaf of ["publish_scopes", "subscribe_scopes"] as const) {
      fields[`${at}/${leaf}`] = `${of}.${leaf}`;
      words(topic[leaf]).forEach((_, one) => {
        fields[`${at}/${leaf}/${one}`] = `${of}.${leaf}`;
      });
    }
  });
  scopes.forEach((_, place) => {
    for (const leaf of ["name", "display_name", "description", "roles"])
      fields[`/scopes/${place}/${leaf}`] = `scopes.${place}.${leaf}`;
  });
  return fields;
}
