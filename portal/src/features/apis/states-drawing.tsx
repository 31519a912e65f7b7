// The lifecycle as a drawing: six states, the arrows between them, the present one marked. What it says is said
// again in words for those who cannot see it.
import { useLayoutEffect, useRef } from "react";
import { title } from "../../lib/format";
import styles from "./states-drawing.module.css";

const PLACES: Record<string, [x: number, y: number]> = {
  created: [10, 100],
  prototyped: [190, 20],
  published: [370, 100],
  blocked: [550, 20],
  deprecated: [550, 180],
  retired: [730, 180],
};
const WIDTH = 130;
const HEIGHT = 40;
/** Width of the whole drawing. */
const DRAWN = 870;

/** Arrows from side to side of the boxes; a second head where the move goes back as well. */
const ARROWS: { from: [number, number]; to: [number, number]; both?: boolean }[] = [
  { from: [140, 112], to: [370, 112], both: true },
  { from: [100, 100], to: [190, 48], both: true },
  { from: [320, 48], to: [410, 100], both: true },
  { from: [460, 100], to: [550, 48], both: true },
  { from: [460, 140], to: [550, 192] },
  { from: [615, 60], to: [615, 180] },
  { from: [680, 200], to: [730, 200] },
];

export function StatesDrawing({ present }: { present: string }) {
  const holder = useRef<HTMLDivElement>(null);
  // On a narrow screen the drawing scrolls: the present state is what it opens at.
  useLayoutEffect(() => {
    const element = holder.current;
    const x = PLACES[present]?.[0];
    if (element && x !== undefined) {
      element.scrollLeft = ((x + WIDTH / 2) / DRAWN) * element.scrollWidth - element.clientWidth / 2;
    }
  }, [present]);
  return (
    <section ref={holder} className={styles.scroll} tabIndex={0} aria-label="Drawing of the lifecycle">
      <svg
        viewBox={`0 0 ${DRAWN} 232`}
        className={styles.drawing}
        role="img"
        aria-label={`Lifecycle states Created, Prototyped, Published, Blocked, Deprecated, Retired. The present state is ${title(present)}.`}
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            orient="auto-start-reverse"
          >
            <path d="M0 0 8 4 0 8z" className={styles.head} />
          </marker>
        </defs>
        {ARROWS.map((arrow) => (
          <line
            key={`${arrow.from}-${arrow.to}`}
            x1={arrow.from[0]}
            y1={arrow.from[1]}
            x2={arrow.to[0]}
            y2={arrow.to[1]}
            className={styles.arrow}
            markerEnd="url(#arrow)"
            {...(arrow.both && { markerStart: "url(#arrow)" })}
          />
        ))}
        {Object.entries(PLACES).map(([state, [x, y]]) => (
          <g key={state} className={state === present ? styles.present : styles.state}>
            <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={20} />
            <text x={x + WIDTH / 2} y={y + HEIGHT / 2 + 5} textAnchor="middle">
              {state === present ? `● ${title(state)}` : title(state)}
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}
