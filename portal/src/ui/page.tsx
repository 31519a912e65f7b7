// The parts every page is made of: head, card, facts, tiles. Knows no router and no query library.
import type { ReactNode } from "react";
import styles from "./ui.module.css";

/** Breadcrumb, name, version and badge; one primary action at the right. */
export function PageHead(props: {
  crumbs?: ReactNode[];
  title: string;
  version?: string;
  badge?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <header className={styles.head}>
      <div className={styles.headText}>
        {props.crumbs && (
          <nav aria-label="Breadcrumb">
            <ol className={styles.crumbs}>
              {props.crumbs.map((crumb, place) => (
                <li key={place}>{crumb}</li>
              ))}
            </ol>
          </nav>
        )}
        <div className={styles.titleRow}>
          <h1>{props.title}</h1>
          {props.version && <span className={styles.version}>{props.version}</span>}
          {props.badge}
        </div>
      </div>
      {props.action && <div>{props.action}</div>}
    </header>
  );
}

export function Card(props: { title?: string; aside?: ReactNode; id?: string; children: ReactNode }) {
  return (
    <section className={styles.card} aria-label={props.title} id={props.id}>
      {props.title && (
        <div className={styles.cardHead}>
          <h2>{props.title}</h2>
          {props.aside}
        </div>
      )}
      {props.children}
    </section>
  );
}

export const Stack = ({ children }: { children: ReactNode }) => (
  <div className={styles.stack}>{children}</div>
);
export const Columns = ({ children }: { children: ReactNode }) => (
  <div className={styles.columns}>{children}</div>
);
export const Row = ({ children }: { children: ReactNode }) => <div className={styles.row}>{children}</div>;
/** Several badges. */
export const Badges = ({ children }: { children: ReactNode }) => (
  <div className={styles.badges}>{children}</div>
);
/** A form as wide as its fields are read easily. */
export const FormWidth = ({ children }: { children: ReactNode }) => (
  <div className={styles.form}>{children}</div>
);
/** A page without a left list, as wide as those with one. */
export const Measure = ({ children }: { children: ReactNode }) => (
  <div className={styles.measure}>{children}</div>
);
/** Fields that belong together, under their name. */
export const FieldGroup = (props: { title: string; about?: string; children: ReactNode }) => (
  <fieldset className={styles.fieldGroup}>
    <legend>{props.title}</legend>
    <Stack>
      {props.about && <p className={styles.dim}>{props.about}</p>}
      {props.children}
    </Stack>
  </fieldset>
);
export const Spread = ({ children }: { children: ReactNode }) => (
  <div className={styles.spread}>{children}</div>
);
export const Dim = ({ children }: { children: ReactNode }) => <span className={styles.dim}>{children}</span>;

/** Names and values, one beneath the other. */
export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {of.map(([name, value]) => (
        <FactsRow key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function FactsRow({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** Numbers that matter, side by side. */
export function Tiles({ of }: { of: { name: string; value: string; unit?: string }[] }) {
  return (
    <dl className={`${styles.tiles}`}>
      {of.map((tile) => (
        <div className={styles.tile} key={tile.name}>
          <dt>{tile.name}</dt>
          <dd>
            {tile.value} {tile.unit && <small>{tile.unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Table(props: {
  caption?: string;
  head: (string | { number: string })[];
  children: ReactNode;
}) {
  return (
    // A table that is wider than the screen scrolls, and so has to be reachable by keyboard.
    // biome-ignore lint/a11y/useSemanticElements: a section inside a card would be one landmark too many
    <div role="group" className={styles.tableWrap} tabIndex={0} aria-label={props.caption ?? "Table"}>
      <table className={styles.table}>
        {props.caption && (
          <caption>
            <span className={styles.unseen}>{props.caption}</span>
          </caption>
        )}
        <thead>
          <tr>
            {props.head.map((cell) =>
              typeof cell === "string" ? (
                <th key={cell} scope="col">
                  {cell}
                </th>
              ) : (
                <th key={cell.number} scope="col" className={styles.number}>
                  {cell.number}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

export const numberCell = styles.number;

/** A left list of pages beside the page itself. The links come from the caller. */
export function SideLayout(props: {
  label: string;
  groups: { title: string; links: ReactNode }[];
  children: ReactNode;
}) {
  return (
    <div className={styles.sideLayout}>
      <nav aria-label={props.label} className={styles.side}>
        {props.groups.map((group) => (
          <div key={group.title} className={styles.sideGroup}>
            <span className={styles.sideTitle}>{group.title}</span>
            {group.links}
          </div>
        ))}
      </nav>
      <div>{props.children}</div>
    </div>
  );
}

/** Something that is there on demand. */
export function Details({ summary, children }: { summary: string; children: ReactNode }) {
  return (
    <details className={styles.details}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
