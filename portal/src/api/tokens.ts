// Personal access tokens: what a script presents to REST instead of a portal session.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask } from "./call";
import type { CreatedToken } from "./generated";
import { createToken, deleteToken, listTokenScopes, listTokens } from "./generated";
import type { Problem } from "./problem";

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: async () => (await ask(listTokens())).items,
});

/** What a token of one's own can be for: `apis:read` and the like, as far as the roles allow. */
export const tokenScopesQuery = queryOptions({
  queryKey: ["token-scopes"],
  queryFn: async () => (await ask(listTokenScopes())).items,
});

export function useCreateToken() {
  const queries = useQueryClient();
  return useMutation<CreatedToken, Problem, { name: string; expires_in_days?: number; scopes?: string[] }>({
    mutationFn: (body) => ask(createToken({ body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
}

export function useDeleteToken() {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(deleteToken({ path: { id } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
}
