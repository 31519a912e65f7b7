// Tokens by which programs register themselves as clients: for administrators.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask } from "./call";
import type { NewRegistrationToken, RegistrationToken, RegistrationTokenWithSecret } from "./generated";
import { createRegistrationToken, deleteRegistrationToken, listRegistrationTokens } from "./generated";
import type { Problem } from "./problem";

export const registrationTokensQuery = queryOptions({
  queryKey: ["registration-tokens"],
  queryFn: async () => (await ask(listRegistrationTokens())).items,
});

function useChanged() {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: registrationTokensQuery.queryKey });
}

export function useCreateRegistrationToken() {
  const onSettled = useChanged();
  return useMutation<RegistrationTokenWithSecret, Problem, NewRegistrationToken>({
    mutationFn: (body) => ask(createRegistrationToken({ body })),
    onSettled,
  });
}

export function useDeleteRegistrationToken() {
  const onSettled = useChanged();
  return useMutation<unknown, Problem, RegistrationToken>({
    mutationFn: ({ id }) => ask(deleteRegistrationToken({ path: { id } })),
    onSettled,
  });
}
