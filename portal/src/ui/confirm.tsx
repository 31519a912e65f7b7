// A question before something that cannot be taken back, or that live sessions notice.
import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./ui.module.css";

export function Confirm(props: {
  opened: boolean;
  title: string;
  action: string;
  destructive?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={props.title}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <div className={styles.stack}>
        {props.children}
        <div className={styles.row}>
          <Button
            onClick={props.onConfirm}
            loading={props.busy ?? false}
            {...(props.destructive && { color: "red" })}
            data-autofocus
          >
            {props.action}
          </Button>
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
        </div>
      </div>
    </Modal>
  );
}
