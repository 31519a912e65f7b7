// Who is signed in and what they may do. Controls and routes ask here; the control plane decides anyway.
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, setCsrfToken } from "./call";
import { getSession, signIn, signOut } from "./generated";
import { asProblem, type Problem } from "./problem";
import type { Permission, Session } from "./types";

async function readSession(): Promise<Session | null> {
  try {
    const session = await ask(getSession());
    setCsrfToken(session.csrf_token);
    return session;
  } catch (error) {
    if (!asProblem(error).isUnauthenticated) throw error;
    setCsrfToken("");
    return null;
  }
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: readSession,
  staleTime: 60_000,
});

export function useSession() {
  return useQuery(sessionQuery);
}

/** Whether the person who is signed in may do this. */
export function useCan(permission: Permission): boolean {
  const { data } = useSession();
  return data?.permissions.some((held) => held === permission) ?? false;
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation<Session, Problem, { username: string; password: string }>({
    mutationFn: (body) => ask(signIn({ body })),
    onSuccess: (session) => {
      setCsrfToken(session.csrf_token);
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, session);
    },
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, void>({
    mutationFn: () => ask(signOut()),
    onSuccess: () => {
      setCsrfToken("");
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, null);
    },
  });
}
