// Lines over time that move: a thin wrap of uPlot. Colours come from the page's variables, so that both schemes and
// all charts agree. A canvas says nothing to a screen reader: its caller puts a table beside it.
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  label: string;
  /** A CSS variable that holds the colour. */
  color: string;
  dash?: number[];
  values: number[];
}

const HEIGHT = 200;

function resolved(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

function options(width: number, lines: Line[]): uPlot.Options {
  const text = resolved("--mantine-color-dimmed");
  const grid = { stroke: resolved("--tide-line"), width: 1 };
  const axis = { stroke: text, grid, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.1))] } },
    axes: [
      { ...axis, size: 28, values: (_, ticks) => ticks.map((at) => clock(at)) },
      { ...axis, size: 52, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6] },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: resolved(line.color),
        width: 2,
        points: { show: false },
        ...(line.dash && { dash: line.dash }),
      })),
    ],
  };
}

function clock(seconds: number): string {
  const at = new Date(seconds * 1_000);
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}

export default function LineChart({ times, lines }: { times: number[]; lines: Line[] }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme("light");
  const data: uPlot.AlignedData = [times, ...lines.map((line) => line.values)];
  const latest = useRef({ lines, data });
  latest.current = { lines, data };

  // The chart is made anew when its colours change, and follows the width of its card.
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const made = new uPlot(options(element.clientWidth, latest.current.lines), latest.current.data, element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [scheme]);

  useEffect(() => {
    plot.current?.setData(data);
  });

  return <div ref={holder} aria-hidden="true" />;
}
