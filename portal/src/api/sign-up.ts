// Self sign-up: whether it is open, opening it, and asking for an account.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, askTagged, ifMatch } from "./call";
import type { SignUp } from "./generated";
import { getSignUp, signUp, updateSignUp } from "./generated";
import type { Problem } from "./problem";

/** Whether people may sign up, and the tag that a change is based on. */
export const signUpQuery = queryOptions({
  queryKey: ["sign-up"],
  queryFn: async () => {
    const { data, etag } = await askTagged(getSignUp());
    return { ...data, etag };
  },
});

export function useUpdateSignUp() {
  const queries = useQueryClient();
  return useMutation<SignUp, Problem, { open: boolean; etag: string }>({
    mutationFn: ({ open, etag }) => ask(updateSignUp({ body: { open }, headers: ifMatch(etag) })),
    onSettled: () => queries.invalidateQueries({ queryKey: signUpQuery.queryKey }),
  });
}

export function useSignUp() {
  return useMutation<unknown, Problem, { username: string; password: string }>({
    mutationFn: (body) => ask(signUp({ body })),
  });
}
