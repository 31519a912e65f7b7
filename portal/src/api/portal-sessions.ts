// Portal sessions: where somebody is signed in. One's own, and those of others for administrators.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask } from "./call";
import {
  endOtherSessions,
  endOwnSession,
  endSessionOfUser,
  endSessionsOfUser,
  listOwnSessions,
  listSessionsOfUser,
} from "./generated";
import type { Problem } from "./problem";

const KEY = "portal-sessions";

/** Of whom: a user's id, or one's own. */
export type Whose = string | "own";

export const portalSessionsQuery = (whose: Whose) =>
  queryOptions({
    queryKey: [KEY, whose],
    queryFn: async () => {
      const found = whose === "own" ? listOwnSessions() : listSessionsOfUser({ path: { id: whose } });
      return (await ask(found)).items;
    },
  });

/** Signs out in one browser, or, without an id, in all others (of somebody else: in all). */
export function useEndSessions(whose: Whose) {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, string | null>({
    mutationFn: (session) => {
      if (whose === "own") {
        return session === null ? ask(endOtherSessions()) : ask(endOwnSession({ path: { id: session } }));
      }
      return session === null
        ? ask(endSessionsOfUser({ path: { id: whose } }))
        : ask(endSessionOfUser({ path: { id: whose, session_id: session } }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: [KEY] }),
  });
}
