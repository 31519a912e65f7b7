// Deny rules: for administrators.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import type { DenyRule, DenyRuleInput } from "./generated";
import { createDenyRule, deleteDenyRule, listDenyRules, updateDenyRule } from "./generated";
import type { Problem } from "./problem";

export const denyRulesQuery = queryOptions({
  queryKey: ["deny-rules"],
  queryFn: async () => (await ask(listDenyRules())).items,
});

/** What every change does to what was read: also one that was refused, since somebody else may have been quicker. */
function useChanged() {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: denyRulesQuery.queryKey });
}

export function useCreateDenyRule() {
  const onSettled = useChanged();
  return useMutation<DenyRule, Problem, DenyRuleInput>({
    mutationFn: (body) => ask(createDenyRule({ body })),
    onSettled,
  });
}

export function useUpdateDenyRule() {
  const onSettled = useChanged();
  return useMutation<DenyRule, Problem, { rule: DenyRule; to: DenyRuleInput }>({
    mutationFn: ({ rule, to }) =>
      ask(updateDenyRule({ path: { id: rule.id }, body: to, headers: ifMatch(String(rule.etag)) })),
    onSettled,
  });
}

export function useDeleteDenyRule() {
  const onSettled = useChanged();
  return useMutation<unknown, Problem, DenyRule>({
    mutationFn: (rule) => ask(deleteDenyRule({ path: { id: rule.id }, headers: ifMatch(String(rule.etag)) })),
    onSettled,
  });
}
