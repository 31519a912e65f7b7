// Other issuers by which people sign in: the choices on the sign-in page, and what administrators decide about them.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import type { NewSignInProvider, SignInProvider, SignInProviderCheck } from "./generated";
import {
  checkSignInProvider,
  createSignInProvider,
  deleteSignInProvider,
  listSignInChoices,
  listSignInProviders,
  updateSignInProvider,
} from "./generated";
import type { Problem } from "./problem";

export const signInChoicesQuery = queryOptions({
  queryKey: ["sign-in-choices"],
  queryFn: async () => (await ask(listSignInChoices())).items,
});

export const signInProvidersQuery = queryOptions({
  queryKey: ["sign-in-providers"],
  queryFn: async () => (await ask(listSignInProviders())).items,
});

function useRefresh() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: signInProvidersQuery.queryKey });
}

export function useCreateSignInProvider() {
  const refresh = useRefresh();
  return useMutation<SignInProvider, Problem, NewSignInProvider>({
    mutationFn: (body) => ask(createSignInProvider({ body })),
    onSuccess: refresh,
  });
}

export function useUpdateSignInProvider() {
  const refresh = useRefresh();
  return useMutation<SignInProvider, Problem, { id: string; etag: string; body: NewSignInProvider }>({
    mutationFn: ({ id, etag, body }) =>
      ask(updateSignInProvider({ path: { id }, body, headers: ifMatch(etag) })),
    onSuccess: refresh,
  });
}

export function useDeleteSignInProvider() {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(deleteSignInProvider({ path: { id } })),
    onSuccess: refresh,
  });
}

/** Asks the provider for its documents now. */
export function useCheckSignInProvider() {
  return useMutation<SignInProviderCheck, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(checkSignInProvider({ path: { id } })),
  });
}
