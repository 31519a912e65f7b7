// What can be done with a row of a table: a small button, whose name says with which.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

export function RowAction(props: { name: string; onClick: () => void; children: ReactNode }) {
  return (
    <Button size="compact-sm" variant="default" aria-label={props.name} onClick={props.onClick}>
      {props.children}
    </Button>
  );
}
