// The thin wrapper around the generated client: same origin, the session's CSRF token on what changes something,
// and every failure thrown as a `Problem`.
import { client } from "./generated/client.gen";
import { Problem } from "./problem";

let csrf = "";
let whenRefused: () => void = () => {};

/** Set by the session query; empty when nobody is signed in. */
export function setCsrfToken(token: string): void {
  csrf = token;
}

/** Told whenever a call is refused for want of a session although this page has one. */
export function onSessionRefused(listener: () => void): void {
  whenRefused = listener;
}

client.setConfig({ credentials: "same-origin" });
client.interceptors.request.use((request) => {
  if (csrf !== "" && !["GET", "HEAD"].includes(request.method)) request.headers.set("X-CSRF-Token", csrf);
  return request;
});

type Answer<T> = { data?: T; error?: unknown; response?: Response };

/** The data of a call, or its problem. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await askTagged(call)).data;
}

/** The same with the entity tag that a change of it must quote. */
export async function askTagged<T>(call: Promise<Answer<T>>): Promise<{ data: T; etag: string }> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch {
    // `fetch` rejects only when no answer came at all.
    throw new Problem(undefined, undefined);
  }
  if (answer.response?.ok) return { data: answer.data as T, etag: answer.response.headers.get("etag") ?? "" };
  const problem = new Problem(answer.error, answer.response);
  if (csrf !== "" && problem.isOfSession) whenRefused();
  throw problem;
}

/** The header that makes a change conditional on what was read. */
export function ifMatch(etag: string): { "If-Match": string } {
  return { "If-Match": etag.startsWith('"') ? etag : `"${etag}"` };
}
