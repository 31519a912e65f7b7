// Plans: which business plans a subscription to this API may be made under, and what all who use it or are on one of its
// topics are held to together.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import { apiPoliciesQuery, plansQuery } from "../../api/settings";
import type { Plan } from "../../api/types";
import { planLimit } from "../../lib/format";
import { Card, Dim, Stack } from "../../ui/page";
import { PlanChoice } from "../../ui/plans";
import { Loading, ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";
import { isSame, limitRow, limitsOf } from "./limits-row";
import { SaveRow } from "./save-row";
import { useDesign } from "./use-design";

export function Component() {
  const api = useApi();
  const plans = useQuery(plansQuery);
  const policies = useQuery(apiPoliciesQuery);
  const create = useCan("api_create");
  const publish = useCan("api_publish");
  const [chosen, setChosen] = useState(() => limitRow(api));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const design = useDesign(api, (theirs) => setChosen(limitRow(theirs)));
  const may = create || publish;
  const dirty = !isSame(chosen, limitRow(design.base));
  for (const of of [plans, policies]) {
    if (of.isPending) return <Loading />;
    if (of.isError) return <ProblemNotice problem={asProblem(of.error)} onRetry={() => of.refetch()} />;
  }
  const topics = design.base.topics.declared;
  const fields: Record<string, string> = { "/plans": "plans", "/api_policy": "api" };
  for (const place of topics.keys()) fields[`/topics/declared/${place}/api_policy`] = `topic ${place}`;
  const save = () =>
    design.save(limitsOf(chosen, design.base), {
      onSaved: () => setErrors({}),
      onProblem: (problem) => setErrors(fieldErrors(problem, fields).fields),
    });
  const choice = { policies: policies.data ?? [], disabled: !may };
  return (
    <Stack>
      <title>{`Plans · ${api.name}`}</title>
      {design.stale}
      {design.problem && <ProblemNotice problem={design.problem} />}
      <Card title="Plans">
        <PlanChoice
          plans={plans.data ?? []}
          value={chosen.plans}
          onChange={(plans) => setChosen({ ...chosen, plans })}
          error={errors.plans}
          disabled={!may}
        />
      </Card>
      <Card title="All together">
        <Stack>
          <Dim>
            An API policy holds everybody who uses the API together, whatever their plans. A topic may have
            one of its own, which holds everybody on it besides: a message has to pass all of them.
          </Dim>
          <PolicyChoice
            {...choice}
            label="API policy of the API"
            value={chosen.api}
            onChange={(api) => setChosen({ ...chosen, api })}
            error={errors.api}
          />
          {topics.map(({ path }, place) => (
            <PolicyChoice
              {...choice}
              key={path}
              label={`API policy of the topic ${path}`}
              value={chosen.topics[path] ?? ""}
              onChange={(policy) => setChosen({ ...chosen, topics: { ...chosen.topics, [path]: policy } })}
              error={errors[`topic ${place}`]}
            />
          ))}
          {topics.length === 0 && <Dim>The API declares no topics.</Dim>}
        </Stack>
      </Card>
      {may && <SaveRow design={design} dirty={dirty} onSave={save} />}
    </Stack>
  );
}

/** One API policy or none, with what it allows. */
function PolicyChoice(props: {
  label: string;
  policies: Plan[];
  value: string;
  onChange: (name: string) => void;
  error: string | undefined;
  disabled: boolean;
}) {
  const named = props.policies.map((policy) => ({
    value: policy.name,
    label: `${policy.display_name}: ${planLimit(policy)}`,
  }));
  return (
    <NativeSelect
      label={props.label}
      data={[{ value: "", label: "None" }, ...named]}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      error={props.error}
      disabled={props.disabled}
    />
  );
}
