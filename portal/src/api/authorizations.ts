// What one has allowed clients oneself.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask } from "./call";
import { listOwnAuthorizations, withdrawAuthorization } from "./generated";
import type { Problem } from "./problem";

const KEY = "authorizations";

export const authorizationsQuery = () =>
  queryOptions({ queryKey: [KEY], queryFn: async () => (await ask(listOwnAuthorizations())).items });

/** Ends all that a client was allowed. */
export function useWithdraw() {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, string>({
    mutationFn: (client_id) => ask(withdrawAuthorization({ path: { client_id } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: [KEY] }),
  });
}
