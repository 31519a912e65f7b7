// Plans and policies: what subscriptions, applications, APIs and topics may use. Each is made, changed and, when nothing uses it, deleted;
// all together are a file that can be kept or carried to another installation.
import { Button, FileButton, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  listOf,
  type PolicyKind,
  useDeletePolicy,
  useExportPolicies,
  useImportPolicies,
} from "../../api/policies";
import { asProblem } from "../../api/problem";
import type { Plan, PolicyDocument } from "../../api/types";
import { download } from "../../lib/download";
import { counted, planLimit, planPrice, planRoles } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Notice } from "../../ui/notice";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { ADMIN_CRUMB } from "./crumb";
import { PolicyForm } from "./policy-form";
import { EXCESSES } from "./policy-row";

const KINDS: { kind: PolicyKind; noun: string; title: string; about: string }[] = [
  {
    kind: "plan",
    noun: "business plan",
    title: "Business plans",
    about:
      "Each subscription has the whole of its plan to itself. Publishers choose which plans an API offers.",
  },
  {
    kind: "policy",
    noun: "application policy",
    title: "Application policies",
    about:
      "What an application may use over all its subscriptions, beside their plans. Developers choose it.",
  },
  {
    kind: "api_policy",
    noun: "API policy",
    title: "API policies",
    about:
      "What an API takes from all who use it together, and a topic from all who are on it. Publishers choose both.",
  },
];

export function Component() {
  return (
    <Measure>
      <title>Plans and policies · Tidegate</title>
      <PageHead title="Plans and policies" crumbs={[ADMIN_CRUMB]} />
      <Stack>
        {KINDS.map((one) => (
          <PolicyCard key={one.kind} {...one} />
        ))}
        <Carried />
      </Stack>
    </Measure>
  );
}

function PolicyCard({ kind, noun, title, about }: (typeof KINDS)[number]) {
  const policies = useQuery(listOf(kind));
  const remove = useDeletePolicy(kind);
  /** The one that is changed; `null`: one is made. */
  const [formed, setFormed] = useState<Plan | null | undefined>(undefined);
  const [asked, setAsked] = useState<Plan | null>(null);
  const close = () => setFormed(undefined);
  return (
    <Card
      title={title}
      aside={
        <Button size="compact-sm" variant="default" onClick={() => setFormed(null)}>
          {`Create ${noun}`}
        </Button>
      }
    >
      <Stack>
        <Dim>{about}</Dim>
        {remove.error && <ProblemNotice problem={remove.error} />}
        {policies.isPending ? (
          <Loading lines={4} />
        ) : policies.isError ? (
          <ProblemNotice problem={asProblem(policies.error)} onRetry={() => policies.refetch()} />
        ) : policies.data.length === 0 ? (
          <Empty title={`There is no ${noun}`}>Nobody can choose one before you create it.</Empty>
        ) : (
          <PolicyTable
            title={title}
            policies={policies.data}
            onChange={setFormed}
            onDelete={(policy) => {
              remove.reset();
              setAsked(policy);
            }}
          />
        )}
      </Stack>
      <Confirm
        opened={asked !== null}
        title={`Delete this ${noun}?`}
        action={`Delete ${noun}`}
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate(asked, { onSettled: () => setAsked(null) })}
      >
        <p>{asked && `${asked.name}: ${planLimit(asked)}`}</p>
        <p>Only what nothing uses is deleted, so no live session notices.</p>
      </Confirm>
      <Modal
        opened={formed !== undefined}
        onClose={close}
        size="lg"
        title={formed ? `Change ${formed.name}` : `Create ${noun}`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {formed !== undefined && <PolicyForm kind={kind} noun={noun} was={formed} onDone={close} />}
      </Modal>
    </Card>
  );
}

function PolicyTable(props: {
  title: string;
  policies: Plan[];
  onChange: (policy: Plan) => void;
  onDelete: (policy: Plan) => void;
}) {
  return (
    <Table caption={props.title} head={["Name", "Limits", "Beyond", "Actions"]}>
      {props.policies.map((policy) => (
        <tr key={policy.name}>
          <td>{policy.name}</td>
          <td>{[planLimit(policy), planPrice(policy), planRoles(policy)].filter(Boolean).join(" · ")}</td>
          <td>{policy.unlimited ? "–" : EXCESSES.find(({ word }) => word === policy.on_excess)?.label}</td>
          <td>
            <Row>
              <RowAction name={`Change ${policy.name}`} onClick={() => props.onChange(policy)}>
                Change
              </RowAction>
              <RowAction name={`Delete ${policy.name}`} onClick={() => props.onDelete(policy)}>
                Delete
              </RowAction>
            </Row>
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** A file as a document; `null` where it is none. */
async function read(file: File): Promise<PolicyDocument | null> {
  try {
    return JSON.parse(await file.text()) as PolicyDocument;
  } catch {
    return null;
  }
}

function Carried() {
  const kept = useExportPolicies();
  const taken = useImportPolicies();
  const [unread, setUnread] = useState<string | null>(null);
  const take = async (file: File | null) => {
    if (!file) return;
    taken.reset();
    const document = await read(file);
    setUnread(document ? null : file.name);
    if (document) taken.mutate(document);
  };
  const problem = taken.error ?? kept.error;
  return (
    <Card title="All of them as a file">
      <Stack>
        <Dim>
          An import makes what is not there and changes what is otherwise. What the file does not tell of
          stays. All of it happens or none.
        </Dim>
        {unread && (
          <Notice tone="bad" live title="This file cannot be read">
            {`${unread} is no JSON document. Choose a file that was exported here.`}
          </Notice>
        )}
        {problem && (
          <ProblemNotice
            problem={problem}
            extra={problem.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`)}
          />
        )}
        {taken.data && (
          <Notice tone="good" live title="Imported">
            {`${counted(taken.data.created, "policy", "policies")} created, ${taken.data.changed} changed, ${taken.data.unchanged} as before.`}
          </Notice>
        )}
        <Row>
          <Button
            variant="default"
            loading={kept.isPending}
            onClick={() =>
              kept.mutate(undefined, {
                onSuccess: (all) => download("tidegate-policies.json", `${JSON.stringify(all, null, 2)}\n`),
              })
            }
          >
            Export
          </Button>
          <FileButton onChange={take} accept="application/json">
            {(given) => (
              <Button variant="default" loading={taken.isPending} {...given}>
                Import a file
              </Button>
            )}
          </FileButton>
        </Row>
      </Stack>
    </Card>
  );
}
