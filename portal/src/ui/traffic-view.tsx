// Traffic of an API or application: numbers first, then the lines, then the table that the lines are made of.
import { lazy, Suspense, useState } from "react";
import type { Minute, Traffic } from "../api/types";
import { count, minuteOfDay, rate, size } from "../lib/format";
import type { Line } from "./line-chart";
import { Details, numberCell, Table, Tiles } from "./page";
import styles from "./ui.module.css";

const LineChart = lazy(() => import("./line-chart"));

interface Rates {
  clients: number;
  backends: number;
}

/** Messages per second between the last two readings. */
function useRates(traffic: Traffic): Rates {
  const [last, setLast] = useState({ traffic, rates: { clients: 0, backends: 0 } });
  if (last.traffic.as_of === traffic.as_of) return last.rates;
  const seconds = (Date.parse(traffic.as_of) - Date.parse(last.traffic.as_of)) / 1_000;
  const per = (now: number, before: number) => (seconds > 0 ? Math.max(0, (now - before) / seconds) : 0);
  const rates = {
    clients: per(traffic.totals.messages_from_clients, last.traffic.totals.messages_from_clients),
    backends: per(traffic.totals.messages_from_backends, last.traffic.totals.messages_from_backends),
  };
  setLast({ traffic, rates });
  return rates;
}

const LINES: { label: string; color: string; dash?: number[]; of: (minute: Minute) => number }[] = [
  { label: "from clients", color: "--tide-sent", of: (minute) => minute.messages_from_clients },
  {
    label: "from backends",
    color: "--tide-received",
    dash: [6, 3],
    of: (minute) => minute.messages_from_backends,
  },
];
const SESSION_LINES: typeof LINES = [
  { label: "sessions opened", color: "--tide-good", of: (minute) => minute.sessions },
  { label: "refusals", color: "--tide-refused", dash: [3, 3], of: (minute) => minute.refusals },
];

function lines(minutes: Minute[], of: typeof LINES): Line[] {
  return of.map(({ of: value, ...line }) => ({ ...line, values: minutes.map(value) }));
}

function Legend({ of }: { of: typeof LINES }) {
  return (
    <div className={styles.legend}>
      {of.map((line) => (
        <span key={line.label}>
          <svg width="28" height="8" aria-hidden="true">
            <line
              x1="0"
              y1="4"
              x2="28"
              y2="4"
              stroke={`var(${line.color})`}
              strokeWidth="3"
              {...(line.dash && { strokeDasharray: line.dash.join(" ") })}
            />
          </svg>
          {line.label}
        </span>
      ))}
    </div>
  );
}

function Chart({ title, minutes, of }: { title: string; minutes: Minute[]; of: typeof LINES }) {
  const times = minutes.map((minute) => Date.parse(minute.at) / 1_000);
  return (
    <figure className={styles.figure}>
      <figcaption>
        <h3>{title}</h3>
        <Legend of={of} />
      </figcaption>
      <Suspense fallback={<div style={{ height: 200 }} />}>
        <LineChart times={times} lines={lines(minutes, of)} />
      </Suspense>
    </figure>
  );
}

export function TrafficView({ traffic }: { traffic: Traffic }) {
  const rates = useRates(traffic);
  const { totals, minutes } = traffic;
  const busy = minutes.filter(
    (minute) =>
      minute.sessions +
        minute.messages_from_clients +
        minute.messages_from_backends +
        minute.refusals +
        minute.dropped +
        minute.delayed >
      0,
  );
  return (
    <div className={styles.stack}>
      <Tiles
        of={[
          { name: "Sessions open", value: count(traffic.sessions_open) },
          { name: "From clients now", value: rate(rates.clients), unit: "messages/s" },
          { name: "From backends now", value: rate(rates.backends), unit: "messages/s" },
          { name: "Messages from clients", value: count(totals.messages_from_clients), unit: "in all" },
          { name: "Messages from backends", value: count(totals.messages_from_backends), unit: "in all" },
          {
            name: "Bytes",
            value: size(totals.bytes_from_clients + totals.bytes_from_backends),
            unit: "both ways",
          },
          { name: "Sessions", value: count(totals.sessions), unit: "in all" },
          { name: "Refusals", value: count(totals.refusals), unit: "in all" },
          { name: "Dropped by limits", value: count(totals.dropped), unit: "messages" },
          { name: "Delayed by limits", value: count(totals.delayed), unit: "messages" },
          { name: "Beyond limits that only count", value: count(totals.beyond), unit: "messages" },
          { name: "Notices of dropped messages", value: count(totals.notices), unit: "in all" },
        ]}
      />
      <div className={styles.charts}>
        <Chart title="Messages per minute, last hour" minutes={minutes} of={LINES} />
        <Chart title="Sessions and refusals per minute, last hour" minutes={minutes} of={SESSION_LINES} />
      </div>
      <Details summary="Show the last hour as a table">
        <Table
          caption="Minutes with traffic, newest first, in local time"
          head={[
            "Minute",
            { number: "Sessions" },
            { number: "From clients" },
            { number: "From backends" },
            { number: "Bytes" },
            { number: "Refusals" },
            { number: "Dropped" },
            { number: "Delayed" },
            { number: "Beyond" },
            { number: "Notices" },
          ]}
        >
          {busy
            .map((minute) => (
              <tr key={minute.at}>
                <td>
                  <time dateTime={minute.at}>{minuteOfDay(minute.at)}</time>
                </td>
                <td className={numberCell}>{count(minute.sessions)}</td>
                <td className={numberCell}>{count(minute.messages_from_clients)}</td>
                <td className={numberCell}>{count(minute.messages_from_backends)}</td>
                <td className={numberCell}>{size(minute.bytes_from_clients + minute.bytes_from_backends)}</td>
                <td className={numberCell}>{count(minute.refusals)}</td>
                <td className={numberCell}>{count(minute.dropped)}</td>
                <td className={numberCell}>{count(minute.delayed)}</td>
                <td className={numberCell}>{count(minute.beyond)}</td>
                <td className={numberCell}>{count(minute.notices)}</td>
              </tr>
            ))
            .reverse()}
        </Table>
      </Details>
    </div>
  );
}
