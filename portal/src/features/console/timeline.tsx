// The timeline: newest at the bottom, only the visible rows in the page, so that ten thousand messages stay smooth.
// Pausing stops the view, not the recording.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { toHex } from "../../lib/bytes";
import { count, counted, size } from "../../lib/format";
import type { Entry } from "./connection";
import styles from "./console.module.css";
import { MessageDetail } from "./message-detail";

/** Height of a row in pixels; the style sheet says the same. */
const ROW = 32;
/** Rows kept above and below what is visible. */
const SPARE = 10;
/** Characters of a message that a row shows. */
const PREVIEW = 300;

const SIGNS = { sent: "↑", received: "↓", note: "•" };
const WORDS = { sent: "Sent", received: "Received", note: "Note" };

function clock(at: number): string {
  const time = new Date(at);
  return `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

function preview(entry: Entry): string {
  return typeof entry.data === "string" ? entry.data.slice(0, PREVIEW) : toHex(entry.data, 48);
}

function matching(entries: readonly Entry[], search: string, side: string): readonly Entry[] {
  if (search === "" && side === "all") return entries;
  const wanted = search.toLowerCase();
  return entries.filter(
    (entry) =>
      (side === "all" || entry.kind === side) &&
      (wanted === "" ||
        (typeof entry.data === "string" ? entry.data.toLowerCase() : toHex(entry.data)).includes(wanted)),
  );
}

export function Timeline({ entries, onClear }: { entries: readonly Entry[]; onClear: () => void }) {
  const [search, setSearch] = useState("");
  const [side, setSide] = useState("all");
  const [paused, setPaused] = useState<readonly Entry[] | null>(null);
  const [selected, setSelected] = useState<Entry | null>(null);
  const visible = paused ?? entries;
  const rows = useMemo(() => matching(visible, search, side), [visible, search, side]);
  const waiting = paused ? entries.length - paused.length : 0;
  return (
    <>
      <div className={styles.toolbar}>
        <TextInput
          type="search"
          aria-label="Search messages"
          placeholder="Search messages"
          className={styles.grow}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <NativeSelect
          aria-label="Show"
          value={side}
          onChange={(event) => setSide(event.currentTarget.value)}
          data={[
            { value: "all", label: "Both sides" },
            { value: "sent", label: "Sent" },
            { value: "received", label: "Received" },
          ]}
        />
        <Button
          variant="default"
          aria-pressed={paused !== null}
          onClick={() => setPaused(paused ? null : entries)}
        >
          {paused ? (waiting > 0 ? `Resume (${count(waiting)} new)` : "Resume") : "Pause"}
        </Button>
        <Button
          variant="default"
          onClick={() => {
            setPaused(null);
            setSelected(null);
            onClear();
          }}
        >
          Clear
        </Button>
      </div>
      <Rows rows={rows} selected={selected} onSelect={setSelected} follow={paused === null} />
      {selected && <MessageDetail key={selected.number} entry={selected} onClose={() => setSelected(null)} />}
      <p className={styles.hint}>
        {rows.length === visible.length
          ? counted(rows.length, "entry", "entries")
          : `${count(rows.length)} of ${counted(visible.length, "entry", "entries")}`}
      </p>
    </>
  );
}

function Rows(props: {
  rows: readonly Entry[];
  selected: Entry | null;
  onSelect: (entry: Entry) => void;
  follow: boolean;
}) {
  const { rows } = props;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [view, setView] = useState({ top: 0, height: 400 });

  // The newest is at the bottom and stays in sight, unless the reader scrolled away from it.
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd.current && props.follow) element.scrollTop = element.scrollHeight;
  }, [rows.length, props.follow]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(view.top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + SPARE);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a section inside a section would be one landmark too many
    <div
      ref={box}
      className={styles.scroll}
      tabIndex={0}
      role="group"
      aria-label="Timeline"
      onScroll={(event) => {
        const element = event.currentTarget;
        atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < ROW * 2;
        setView({ top: element.scrollTop, height: element.clientHeight });
      }}
    >
      {rows.length === 0 && <p className={styles.nothing}>Connect and send: what passes stands here.</p>}
      <ol className={styles.list} style={{ height: rows.length * ROW }}>
        {rows.slice(first, last).map((entry, place) => (
          <li
            key={entry.number}
            className={styles.entry}
            data-kind={entry.kind}
            aria-setsize={rows.length}
            aria-posinset={first + place + 1}
            style={{ transform: `translateY(${(first + place) * ROW}px)` }}
          >
            <button
              type="button"
              className={styles.entryButton}
              aria-pressed={props.selected?.number === entry.number}
              onClick={() => props.onSelect(entry)}
            >
              <span className={styles.sign}>
                <span aria-hidden="true">{SIGNS[entry.kind]}</span>
                <span className={styles.word}>{WORDS[entry.kind]}</span>
              </span>
              <span className={styles.text}>{preview(entry)}</span>
              {entry.kind !== "note" && <span className={styles.meta}>{size(entry.bytes)}</span>}
              <time className={styles.meta}>{clock(entry.at)}</time>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
