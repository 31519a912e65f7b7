// What limits an API, as the form of its page holds it: its plans, its policy and those of its topics. Pure.
import type { Api, UpdateApi } from "../../api/types";

export interface LimitRow {
  plans: string[];
  /** Name of the API policy; empty: none. */
  api: string;
  /** The same of each topic, by path. */
  topics: Record<string, string>;
}

type Designed = Pick<Api, "plans" | "api_policy" | "topics">;

export const limitRow = ({ plans, api_policy, topics }: Designed): LimitRow => ({
  plans,
  api: api_policy ?? "",
  topics: Object.fromEntries(topics.declared.map(({ path, api_policy }) => [path, api_policy ?? ""])),
});

/** What is sent: topics are those of `base`, and only their policies are this form's. */
export const limitsOf = (
  row: LimitRow,
  base: Designed,
): Required<Pick<UpdateApi, "plans" | "api_policy" | "topics">> => ({
  plans: row.plans,
  api_policy: row.api || null,
  topics: {
    ...base.topics,
    declared: base.topics.declared.map((topic) => ({ ...topic, api_policy: row.topics[topic.path] || null })),
  },
});

/** Whether two rows say the same; in which order plans were chosen says nothing. */
export const isSame = (one: LimitRow, other: LimitRow): boolean => {
  const told = ({ plans, api, topics }: LimitRow) => [[...plans].sort(), api, Object.entries(topics).sort()];
  return JSON.stringify(told(one)) === JSON.stringify(told(other));
};
