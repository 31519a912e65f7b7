// Failures as one class, and their words in one place. Every call of the portal ends in data or in a `Problem`.

export interface FieldError {
  pointer: string;
  code: string;
  detail: string;
}

/** A problem document (RFC 9457), or what stands in for one when no answer came. */
export class Problem extends Error {
  readonly kind: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors: FieldError[];
  readonly retryAfter: number | null;

  constructor(body: unknown, response: Response | undefined) {
    const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const text = (key: string) => (typeof told[key] === "string" ? (told[key] as string) : "");
    const status = response?.status ?? 0;
    const title = text("title") || (status === 0 ? "Tidegate does not answer" : `The answer was ${status}`);
    super(title);
    this.name = "Problem";
    this.title = title;
    this.status = status;
    this.kind = text("type").split("/").pop() || (status === 0 ? "offline" : "unknown");
    this.detail = text("detail");
    this.instance = text("instance");
    this.errors = Array.isArray(told.errors) ? (told.errors as FieldError[]) : [];
    const wait = Number(response?.headers.get("retry-after") ?? Number.NaN);
    this.retryAfter = Number.isFinite(wait) ? wait : null;
  }

  get isOffline(): boolean {
    return this.status === 0;
  }
  get isPassing(): boolean {
    return this.isOffline || this.status === 502 || this.status === 503 || this.status === 504;
  }
  get isStale(): boolean {
    return this.status === 412;
  }
  get isForbidden(): boolean {
    return this.status === 403;
  }
  get isNotFound(): boolean {
    return this.status === 404;
  }
  get isUnauthenticated(): boolean {
    return this.status === 401;
  }
  /** Refused for want of a session: none, or one that another tab replaced. Signing in mends it. */
  get isOfSession(): boolean {
    return this.isUnauthenticated || this.kind === "forged";
  }
}

/** Whatever was thrown, as a `Problem`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({ title: "Something went wrong in this page", detail: String(error) }, undefined);
}

/** The way out that belongs to a kind of problem, beneath its own detail. */
export function wayOut(problem: Problem): string {
  if (problem.isOffline) return "Check that the product is running. This page tries again by itself.";
  switch (problem.kind) {
    case "unauthenticated":
      return "Sign in again; what you typed stays here.";
    case "forbidden":
      return "An administrator can grant you a role that may do this.";
    case "not-found":
      return "It may have been deleted, or belong to someone else. Go back to the list.";
    case "stale":
    case "precondition-required":
      return "Compare both versions, then save yours or take theirs.";
    case "throttled":
      return problem.retryAfter
        ? `Try again in ${problem.retryAfter} ${problem.retryAfter === 1 ? "second" : "seconds"}.`
        : "Wait a little, then try again.";
    case "unavailable":
      return "Nothing was changed. This page tries again by itself.";
    case "validation":
    case "duplicate":
      return "Change the marked fields and try again.";
    case "internal":
      return "Try again. If it stays, report it with the request id below.";
    default:
      return "";
  }
}

/** Problems by form field: `/endpoints/production/url` under the name that `names` gives its pointer. */
export function fieldErrors(
  problem: Problem,
  names: Record<string, string>,
): { fields: Record<string, string>; rest: string[] } {
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const error of problem.errors) {
    const match = Object.keys(names)
      .filter((pointer) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`))
      .sort((a, b) => b.length - a.length)[0];
    const name = match ? names[match] : undefined;
    if (!name) rest.push(error.detail);
    else fields[name] = fields[name] ? `${fields[name]} ${error.detail}` : error.detail;
  }
  return { fields, rest };
}
