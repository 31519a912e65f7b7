// Protocol: compression, the check of text and the sizes that the gateway lets pass.
import { Button, Switch, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api, ProtocolBounds } from "../../api/types";
import { ChoiceField } from "../../ui/choice-field";
import { Notice } from "../../ui/notice";
import { Card, Dim, FormWidth, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";
import { BoundedField } from "./bounded-field";
import { COMPRESSIONS } from "./choices";
import { checkNumber } from "./endpoint-row";
import { NOTICE_EXAMPLE, noticeOf, noticeText } from "./notice-row";
import { SaveRow } from "./save-row";
import { useDesign } from "./use-design";
import { WithSettings } from "./with-settings";

type Size = keyof ProtocolBounds;
type Values = Record<Size, number | string> & {
  compression: string;
  frame_checks: boolean;
  utf8_check: boolean;
  /** JSON as it is written; empty: none. */
  notice: string;
};

const SIZES: { leaf: Size; label: string; notices: string }[] = [
  {
    leaf: "message_bytes_max",
    label: "Largest message",
    notices:
      "A client that sends a larger message is closed with code 1009 on the frame that crosses it, fragments added up; where the backend sends one, with 1011.",
  },
  {
    leaf: "frame_bytes_max",
    label: "Largest frame",
    notices:
      "A client that sends a larger frame is closed with code 1009 at the frame's header; where the backend sends one, with 1011.",
  },
];

const FIELDS = {
  "/protocol/compression": "compression",
  "/protocol/frame_checks": "frame_checks",
  "/protocol/utf8_check": "utf8_check",
  "/protocol/message_bytes_max": "message_bytes_max",
  "/protocol/frame_bytes_max": "frame_bytes_max",
  "/notice": "notice",
};

const valuesOf = ({ protocol, notice }: Pick<Api, "protocol" | "notice">): Values => ({
  notice: noticeText(notice),
  compression: protocol.compression,
  frame_checks: protocol.frame_checks,
  utf8_check: protocol.utf8_check,
  message_bytes_max: protocol.message_bytes_max,
  frame_bytes_max: protocol.frame_bytes_max,
});

export function Component() {
  const api = useApi();
  return (
    <WithSettings>
      {(settings) => (
        <>
          <title>{`Protocol · ${api.name}`}</title>
          <ProtocolForm api={api} bounds={settings.protocol_bounds} />
        </>
      )}
    </WithSettings>
  );
}

function ProtocolForm({ api, bounds }: { api: Api; bounds: ProtocolBounds }) {
  const may = useCan("api_create");
  const form = useForm<Values>({
    initialValues: valuesOf(api),
    validate: {
      message_bytes_max: (value) => checkNumber(value, bounds.message_bytes_max, "bytes"),
      frame_bytes_max: (value) => checkNumber(value, bounds.frame_bytes_max, "bytes"),
      notice: (text) => (noticeOf(text) === undefined ? "Write a JSON object, or nothing." : null),
    },
  });
  const design = useDesign(api, (theirs) => form.setValues(valuesOf(theirs)));
  const submit = form.onSubmit(({ notice, ...values }) =>
    design.save(
      {
        notice: noticeOf(notice) ?? null,
        protocol: {
          ...design.base.protocol,
          ...values,
          message_bytes_max: Number(values.message_bytes_max),
          frame_bytes_max: Number(values.frame_bytes_max),
        },
      },
      {
        onSaved: () => form.resetDirty({ ...values, notice }),
        onProblem: (problem) => form.setErrors(fieldErrors(problem, FIELDS).fields),
      },
    ),
  );
  return (
    <Card title="Protocol">
      <FormWidth>
        <form onSubmit={submit} noValidate>
          <Stack>
            {design.stale}
            {design.problem && <ProblemNotice problem={design.problem} />}
            <ChoiceField
              label="Compression"
              description="What becomes of permessage-deflate (RFC 7692). Default Off."
              choices={COMPRESSIONS}
              value={form.values.compression}
              onChange={(word) => form.setFieldValue("compression", word)}
              error={form.errors.compression}
              readOnly={!may}
            />
            <Switch
              label="Frame checks"
              description="A client that sends a frame against RFC 6455 (reserved bits and opcodes, broken fragments, oversized control frames, lengths not in their shortest form) is closed with code 1002; where the backend sends it, with 1011. Off: such frames pass as they are, and the other side has to cope; masks, Close frames and sizes stay checked. Default on."
              disabled={!may}
              {...form.getInputProps("frame_checks", { type: "checkbox" })}
            />
            {!form.values.frame_checks && form.values.compression === "terminate" && (
              <Notice tone="calm">
                While compression is Terminate, all frames are checked all the same.
              </Notice>
            )}
            <Switch
              label="Check of text"
              description="A client that sends text that is not UTF-8 is closed with code 1007; where the backend sends it, with 1011. Default on."
              disabled={!may}
              {...form.getInputProps("utf8_check", { type: "checkbox" })}
            />
            {SIZES.map(({ leaf, label, notices }) => (
              <BoundedField
                key={leaf}
                label={label}
                leaf={leaf}
                unit="bytes"
                notices={notices}
                bounds={bounds[leaf]}
                value={form.values[leaf]}
                onChange={(value) => form.setFieldValue(leaf, value)}
                error={form.errors[leaf]}
                readOnly={!may}
                path={leaf}
              />
            ))}
            <NoticeField
              value={form.values.notice}
              onChange={(text) => form.setFieldValue("notice", text)}
              error={form.errors.notice}
              readOnly={!may}
            />
            {may ? (
              <SaveRow design={design} dirty={form.isDirty()} />
            ) : (
              <Dim>A creator can change these.</Dim>
            )}
          </Stack>
        </form>
      </FormWidth>
    </Card>
  );
}

/** What clients are told of messages that were dropped, as JSON. */
function NoticeField(props: {
  value: string;
  onChange: (text: string) => void;
  error: ReactNode;
  readOnly: boolean;
}) {
  return (
    <Stack>
      <Textarea
        label="Notice of dropped messages"
        description="A JSON object that a client gets as a text message, once a second at most, where the policy that a message is beyond says so. The strings $policy, $level, $direction and $retry_after stand for what they say. Empty: none."
        autosize
        minRows={3}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        readOnly={props.readOnly}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
        error={props.error}
      />
      {!props.readOnly && props.value.trim() === "" && (
        <div>
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => props.onChange(noticeText(NOTICE_EXAMPLE))}
          >
            Begin with an example
          </Button>
        </div>
      )}
    </Stack>
  );
}
