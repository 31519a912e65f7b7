// Business plans, application policies and API policies: changed by administrators, one by one or by a document of all.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import type { Imported } from "./generated";
import {
  createApiPolicy,
  createApplicationPolicy,
  createPlan,
  deleteApiPolicy,
  deleteApplicationPolicy,
  deletePlan,
  exportPolicies,
  importPolicies,
  updateApiPolicy,
  updateApplicationPolicy,
  updatePlan,
} from "./generated";
import type { Problem } from "./problem";
import { apiPoliciesQuery, plansQuery, policiesQuery } from "./settings";
import type { Plan, PlanInput, PolicyDocument } from "./types";

export type PolicyKind = "plan" | "policy" | "api_policy";

const CALLS = {
  plan: { query: plansQuery, create: createPlan, update: updatePlan, remove: deletePlan },
  policy: {
    query: policiesQuery,
    create: createApplicationPolicy,
    update: updateApplicationPolicy,
    remove: deleteApplicationPolicy,
  },
  api_policy: {
    query: apiPoliciesQuery,
    create: createApiPolicy,
    update: updateApiPolicy,
    remove: deleteApiPolicy,
  },
};

/** All of a kind. */
export const listOf = (kind: PolicyKind) => CALLS[kind].query;

/** What every change does to what was read: also one that was refused, since somebody else may have been quicker. */
function useChanged() {
  const queries = useQueryClient();
  return () => {
    for (const { query } of Object.values(CALLS))
      void queries.invalidateQueries({ queryKey: query.queryKey });
  };
}

/** Makes a policy, or changes the one that was read. */
export function useSavePolicy(kind: PolicyKind) {
  const onSettled = useChanged();
  return useMutation<Plan, Problem, { was: Plan | null; to: PlanInput }>({
    mutationFn: ({ was, to }) =>
      was
        ? ask(CALLS[kind].update({ path: { name: was.name }, body: to, headers: ifMatch(String(was.etag)) }))
        : ask(CALLS[kind].create({ body: to })),
    onSettled,
  });
}

export function useDeletePolicy(kind: PolicyKind) {
  const onSettled = useChanged();
  return useMutation<unknown, Problem, Plan>({
    mutationFn: ({ name, etag }) =>
      ask(CALLS[kind].remove({ path: { name }, headers: ifMatch(String(etag)) })),
    onSettled,
  });
}

export function useExportPolicies() {
  return useMutation<PolicyDocument, Problem, void>({ mutationFn: () => ask(exportPolicies()) });
}

export function useImportPolicies() {
  const onSettled = useChanged();
  return useMutation<Imported, Problem, PolicyDocument>({
    mutationFn: (body) => ask(importPolicies({ body })),
    onSettled,
  });
}
