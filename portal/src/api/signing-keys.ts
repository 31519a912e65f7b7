// The keys that sign tokens: for administrators.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask } from "./call";
import type { Rotation, SigningKey } from "./generated";
import { listSigningKeys, removeSigningKey, rotateSigningKey } from "./generated";
import type { Problem } from "./problem";

export const signingKeysQuery = queryOptions({
  queryKey: ["signing-keys"],
  queryFn: async () => (await ask(listSigningKeys())).items,
});

export function useRotateSigningKey() {
  const queries = useQueryClient();
  return useMutation<SigningKey, Problem, Rotation>({
    mutationFn: (body) => ask(rotateSigningKey({ body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: signingKeysQuery.queryKey }),
  });
}

export function useRemoveSigningKey() {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, { kid: string }>({
    mutationFn: ({ kid }) => ask(removeSigningKey({ path: { kid } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: signingKeysQuery.queryKey }),
  });
}
