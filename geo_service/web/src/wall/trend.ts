// Events by day, the last 30 days.
import { LineChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

import { translucent } from "../common/color";
import type { EventLayer, WallState } from "../common/contract";
import { element } from "../common/dom";
import { say } from "../common/language";
import { EVENT_LAYERS } from "./open";
import { PALETTE, rem } from "./palette";

use([LineChart, GridComponent, CanvasRenderer]);

function key(layer: EventLayer): HTMLElement {
  return element("span", { class: `key ${layer}` }, element("i"), say(layer));
}

export class Trend {
  private readonly box = element("div", { class: "chart", role: "img", "aria-label": say("trend") });
  readonly root = element(
    "section",
    { class: "card" },
    element("h2", {}, element("b"), say("trend"), ...EVENT_LAYERS.map(key)),
    this.box,
  );
  private chart: ReturnType<typeof init> | null = null;
  private daily: WallState["daily"] = [];

  /** To be called once the page has its layout, and whenever its size changes. */
  resize(): void {
    this.chart ??= init(this.box);
    this.chart.resize();
    this.draw();
  }

  show(state: WallState): void {
    this.daily = state.daily;
    this.draw();
  }

  private draw(): void {
    const text = { color: PALETTE.soft, fontSize: 1.125 * rem() };
    this.chart?.setOption({
      animationDurationUpdate: 500,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 2, right: 1.2 * rem(), top: 0.8 * rem(), bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: {
        type: "category",
        boundaryGap: false,
        data: this.daily.map(({ day }) => day.slice(5)),
        axisLabel: { ...text, interval: 6, hideOverlap: true, margin: 0.7 * rem() },
        axisLine: { lineStyle: { color: PALETTE.line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        minInterval: 1,
        splitNumber: 3,
        axisLabel: text,
        splitLine: { lineStyle: { color: PALETTE.line } },
      },
      series: EVENT_LAYERS.map((layer) => ({
        id: layer,
        type: "line",
        smooth: 0.25,
        smoothMonotone: "x",
        symbol: "circle",
        symbolSize: 0.6 * rem(),
        showSymbol: false,
        lineStyle: { color: PALETTE[layer], width: 0.2 * rem() },
        itemStyle: { color: PALETTE[layer] },
        areaStyle: { color: translucent(PALETTE[layer], 0.12) },
        data: this.daily.map((day) => day[layer]),
      })),
    });
  }
}
