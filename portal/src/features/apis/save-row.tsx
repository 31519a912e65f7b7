// The end of a form on the working copy: Save, what is not saved yet, and that it was.
import { Button } from "@mantine/core";
import { Notice } from "../../ui/notice";
import { Dim, Row } from "../../ui/page";
import type { DesignForm } from "./use-design";

/** Without `onSave` it submits the form that it stands in. */
export function SaveRow(props: { design: DesignForm; dirty: boolean; onSave?: () => void }) {
  const { design, dirty, onSave } = props;
  return (
    <>
      <Row>
        <Button type={onSave ? "button" : "submit"} onClick={onSave} loading={design.busy} disabled={!dirty}>
          Save
        </Button>
        {dirty && <Dim>Not saved yet. Saving changes the working copy; Deploy makes it live.</Dim>}
      </Row>
      {design.saved && !dirty && <Notice tone="good" title="Saved to the working copy" live />}
    </>
  );
}
