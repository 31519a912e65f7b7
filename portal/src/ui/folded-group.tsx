// Fields that belong together, folded under their name; what they are set to stands beside it. Knows no form.
import { type ReactNode, useEffect, useState } from "react";
import { Stack } from "./page";
import styles from "./ui.module.css";

export function FoldedGroup(props: {
  title: string;
  /** What the fields say, in a line, while they are not seen. */
  says: string;
  about?: string;
  /** Something in it has to be looked at. */
  wanted: boolean;
  children: ReactNode;
}) {
  const { wanted } = props;
  const [open, setOpen] = useState(wanted);
  useEffect(() => {
    if (wanted) setOpen(true);
  }, [wanted]);
  return (
    <fieldset className={styles.fieldGroup}>
      <legend>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={open}
          onClick={() => setOpen((before) => !before)}
        >
          <span>{props.title}</span>
          <span className={styles.foldSign} aria-hidden="true">
            {open ? "−" : "+"}
          </span>
        </button>
      </legend>
      {open ? (
        <Stack>
          {props.about && <p className={styles.dim}>{props.about}</p>}
          {props.children}
        </Stack>
      ) : (
        <p className={styles.dim}>{props.says}</p>
      )}
    </fieldset>
  );
}
