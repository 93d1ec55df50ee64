// Charts and tables of a report. Reads one JSON block, draws SVG, reaches no network. Names come from servers and plans:
// they are only ever set as text. Points are [x, y, low, high, note, verdict]; what is missing at the end is left out.
"use strict";
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const NS = "http://www.w3.org/2000/svg";
  const WORDS = ["", "SUSPECT", "INVALID"];
  const hidden = new Set();
  const night = matchMedia("(prefers-color-scheme: dark)");
  const redraws = [];
  let printing = false, described = 0;

  const el = (tag, cls, parent, text) => {
    const e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text !== undefined) e.textContent = text;
    if (parent) parent.append(e);
    return e;
  };
  const mk = (tag, attributes, parent, text) => {
    const e = document.createElementNS(NS, tag);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (text !== undefined) e.textContent = text;
    if (parent) parent.append(e);
    return e;
  };
  const colour = (s) => (s === null ? "currentColor" : D.series[s][night.matches && !printing ? "d" : "l"]);
  const name = (line) => line.n || D.series[line.s].n;
  const swatch = (s, parent) => { el("i", "", parent).style.background = colour(s); };

  // Three significant digits, integers below 100,000 in full.
  const fmt = (v) => {
    const a = Math.abs(v);
    if (!Number.isFinite(v)) return "–";
    if (a === 0) return "0";
    if (a >= 99999.5) {
      const [u, l] = a >= 999.5e6 ? [1e9, "G"] : a >= 999.5e3 ? [1e6, "M"] : [1e3, "k"];
      return +(v / u).toPrecision(3) + l;
    }
    if (a < 0.001) return v.toExponential(1);
    if (a >= 99.95) return Math.round(v).toLocaleString("en-US");
    return v.toPrecision(3);
  };
  // A place on an axis: all its digits, nothing added.
  const exact = (v) => (Math.abs(v) < 1e6 ? (+v.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 6 }) : fmt(v));

  const ticks = (lo, hi, log, most) => {
    const all = [];
    if (log) {
      const decades = Math.log10(hi / lo);
      for (let e = Math.floor(Math.log10(lo)); e <= Math.ceil(Math.log10(hi)); e++) {
        for (const m of decades > 3 ? [1] : [1, 2, 5]) all.push(m * 10 ** e);
      }
      return all.filter((v) => v >= lo * 0.999 && v <= hi * 1.001);
    }
    const raw = (hi - lo) / most, g = 10 ** Math.floor(Math.log10(raw || 1));
    const step = [1, 2, 2.5, 5, 10].map((m) => m * g).find((s) => s >= raw * 0.999) || 1;
    for (let k = Math.floor(lo / step + 1e-9); k <= Math.ceil(hi / step - 1e-9); k++) all.push(k * step);
    return all;
  };
  const scale = (lo, hi, from, to, log) => {
    const f = log ? Math.log : (v) => v, span = f(hi) - f(lo) || 1;
    return (v) => from + ((f(v) - f(lo)) / span) * (to - from);
  };

  const SHAPES = [
    (x, y, r) => `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`,
    (x, y, r) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`,
    (x, y, r) => `M${x},${y - 1.3 * r}l${1.2 * r},${2.1 * r}h${-2.4 * r}Z`,
    (x, y, r) => `M${x},${y - 1.35 * r}l${1.35 * r},${1.35 * r}l${-1.35 * r},${1.35 * r}l${-1.35 * r},${-1.35 * r}Z`,
    (x, y, r) => `M${x},${y + 1.3 * r}l${1.2 * r},${-2.1 * r}h${-2.4 * r}Z`,
  ];

  const tooltip = (plot) => {
    const tip = el("div", "tip", plot);
    tip.setAttribute("role", "status");
    tip.hidden = true;
    return {
      hide() { tip.hidden = true; },
      show(x, width, head, rows) {
        tip.replaceChildren();
        el("b", "", tip, head);
        for (const [s, text, value, more] of rows) {
          const row = el("div", "", tip);
          if (s !== undefined) swatch(s, row);
          el("span", "", row, text + " ");
          el("b", "", row, value);
          if (more) el("small", "", row, " " + more);
        }
        tip.hidden = false;
        const w = tip.offsetWidth;
        tip.style.left = Math.max(0, Math.min(width - w, x + 14 + w > width ? x - w - 14 : x + 14)) + "px";
      },
    };
  };
  // A finger that leaves has only been lifted: what it asked for stays until it points elsewhere.
  const pointed = (target, hide, show) => {
    target.addEventListener("pointermove", show);
    target.addEventListener("pointerdown", show);
    target.addEventListener("pointerleave", (e) => { if (e.pointerType !== "touch") hide(); });
    // Not on its parts: an SVG element that listens to the focus becomes a stop for it.
    if (target.hasAttribute("tabindex")) target.addEventListener("blur", hide);
  };
  const said = (v, p) => {
    const parts = [];
    if (p[3] > p[2]) parts.push(`(${fmt(p[2])}–${fmt(p[3])})`);
    if (p[4]) parts.push(p[4]);
    if (p[5]) parts.push(WORDS[p[5]]);
    return parts.join(" ");
  };

  // What a chart shows, in a sentence a line of it.
  const about = (view) => {
    if (view.k === "lanes") return `${view.s[0].p.length} requests, ${view.n}. `;
    const unit = view.u ? " " + view.u : "", at = view.k === "heat" ? 2 : 1;
    return view.s.filter((l) => l.s !== null && !hidden.has(l.s)).map((l) => {
      const [lo, hi] = range([l], (p) => [p[at]]), who = name(l) + (l.d ? ", " + l.d : "");
      if (!Number.isFinite(lo)) return `${who}: no values. `;
      return lo === hi ? `${who}: ${fmt(lo)}${unit}. ` : `${who}: ${fmt(lo)} to ${fmt(hi)}${unit}. `;
    }).join("");
  };

  // Frame of a chart: svg, horizontal grid with labels, bottom axis, word SIMULATED.
  const frame = (plot, chart, panel, view, height, left) => {
    // Paper is narrower than most windows, and nothing is measured for it: its columns are 700, 345 and 225 px wide.
    const columns = Math.min(3, chart.panels.length);
    const W = printing ? [700, 345, 260][columns - 1] : Math.max(260, plot.clientWidth);
    const box = { W, H: height, l: left, r: W - 14, t: 12, b: height - 46 };
    // A chart that answers to arrow keys is an application: a screen reader then hands the keys on.
    const keys = view.k !== "heat";
    const svg = mk("svg", { viewBox: `0 0 ${W} ${height}`, width: W, height, role: keys ? "application" : "img" }, plot);
    if (keys) { svg.setAttribute("tabindex", 0); svg.setAttribute("aria-roledescription", "chart"); }
    svg.setAttribute("aria-label", `${panel.t}${view.n ? ", " + view.n : ""}${chart.sim ? ", SIMULATED" : ""}`);
    const id = `about-${++described}`, help = { line: "Arrow keys left and right read the values. ", bar: "Arrow keys left and right read the bars. ", lanes: "Arrow keys up and down read the requests. " }[view.k] || "";
    mk("desc", { id }, svg, about(view) + help + "The table below has the same values.");
    svg.setAttribute("aria-describedby", id);
    const sim = () => {
      const size = Math.min(44, (box.r - box.l) / 7);
      if (chart.sim) mk("text", { x: (box.l + box.r) / 2, y: (box.t + box.b) / 2 + size / 3, class: "sim", "aria-hidden": "true" }, svg, "SIMULATED").style.fontSize = size + "px";
    };
    return { svg, box, sim };
  };
  const grid = (svg, box, values, Y, log) => {
    let last = Infinity;
    for (const v of values) {
      const y = Y(v);
      mk("line", { x1: box.l, x2: box.r, y1: y, y2: y, class: "grid" }, svg);
      if (last - y >= 15 || last === Infinity) {
        mk("text", { x: box.l - 8, y: y + 4, "text-anchor": "end" }, svg, log || Math.abs(v) < 1e5 ? exact(v) : fmt(v));
        last = y;
      }
    }
  };
  const bottom = (svg, box, values, X, title) => {
    mk("line", { x1: box.l, x2: box.r, y1: box.b, y2: box.b, class: "axis" }, svg);
    const wide = (v) => exact(v).length * 7.2 + 8, last = values.length - 1, shown = [];
    let taken = -Infinity;
    values.forEach((v, i) => {
      const half = wide(v) / 2, x = X(v);
      mk("line", { x1: x, x2: x, y1: box.b, y2: box.b + 5, class: "axis" }, svg);
      if (i === last || (x - half >= taken && x + half <= X(values[last]) - wide(values[last]) / 2)) {
        taken = x + half;
        shown.push(v);
      }
    });
    for (const v of shown) mk("text", { x: X(v), y: box.b + 20, "text-anchor": "middle" }, svg, exact(v));
    mk("text", { x: (box.l + box.r) / 2, y: box.H - 6, "text-anchor": "middle", class: "lab" }, svg, title);
  };

  const range = (lines, pick) => {
    let lo = Infinity, hi = -Infinity;
    for (const l of lines) for (const p of l.p) for (const v of pick(p)) if (Number.isFinite(v)) { lo = Math.min(lo, v); hi = Math.max(hi, v); }
    return [lo, hi];
  };

  function drawLine(plot, chart, panel, view) {
    const seen = view.s.filter((l) => l.s === null || !hidden.has(l.s));
    const { svg, box, sim } = frame(plot, chart, panel, view, 300, 58);
    const tip = tooltip(plot);
    let [lo, hi] = range(seen, (p) => [p[1], p[2] ?? p[1], p[3] ?? p[1]]);
    if (!Number.isFinite(lo)) { mk("text", { x: (box.l + box.r) / 2, y: 120, "text-anchor": "middle" }, svg, "nothing is shown"); return; }
    const goals = (view.o || []).filter((o) => !o.x);
    const log = !view.y && !view.xr && lo > 0 && hi / lo > 100;
    if (log) plot.previousElementSibling.textContent += (plot.previousElementSibling.textContent ? " · " : "") + "log scale";
    let above = [];
    for (const o of goals) if (log || o.v <= hi * 3) { hi = Math.max(hi, o.v); if (log) lo = Math.min(lo, o.v); } else above.push(o);
    let values;
    if (view.y) { [lo, hi] = view.y; values = ticks(lo, hi, false, 5); }
    else if (log) { lo /= 1.15; hi *= 1.15; values = ticks(lo, hi, true); }
    else { values = ticks(Math.min(0, lo), hi || 1, false, 5); lo = values[0]; hi = values[values.length - 1]; }
    let [x0, x1] = view.xr || range(view.s, (p) => [p[0]]);
    const single = x0 === x1;
    if (single) { x0 = view.xl ? x0 / 2 : x0 - 1; x1 = view.xl ? x1 * 2 : x1 + 1; }
    let xt = view.x || ticks(x0, x1, view.xl, Math.max(3, Math.floor(box.W / 90)));
    if (!view.x && !view.xl && !view.xr) { x0 = Math.min(x0, xt[0]); x1 = Math.max(x1, xt[xt.length - 1]); }
    xt = xt.filter((v) => v >= x0 * 0.9999 && v <= x1 * 1.0001);
    const X = scale(x0, x1, box.l + 12, box.r - 12, view.xl), Y = scale(lo, hi, box.b, box.t, log);
    const Yc = (v) => Math.max(box.t, Math.min(box.b, log && v <= 0 ? box.b : Y(v)));
    for (const [a, b, word] of view.b || []) {
      mk("rect", { x: X(a), y: box.t, width: Math.max(1, X(b) - X(a)), height: box.b - box.t, class: "span" }, svg);
      if (X(b) - X(a) > word.length * 6.6) mk("text", { x: (X(a) + X(b)) / 2, y: box.t + 12, "text-anchor": "middle" }, svg, word);
    }
    sim();
    grid(svg, box, values, Y, log);
    bottom(svg, box, xt, X, view.xn + (view.xl ? " (log scale)" : ""));
    for (const o of goals) {
      const high = above.includes(o), y = high ? box.t + 4 : Y(o.v);
      if (!high) mk("line", { x1: box.l, x2: box.r, y1: y, y2: y, class: "goal" }, svg);
      mk("text", { x: box.l + 6, y: y + (y - box.t < 20 ? 14 : -5), class: "goalt" }, svg, o.n + (high ? " ↑" : ""));
    }
    for (const o of (view.o || []).filter((g) => g.x && g.v >= x0 && g.v <= x1)) {
      mk("line", { x1: X(o.v), x2: X(o.v), y1: box.t, y2: box.b, class: "goal" }, svg);
      const left = X(o.v) > (box.l + box.r) / 2;
      mk("text", { x: X(o.v) + (left ? 5 : -5), y: box.t - 3, "text-anchor": left ? "end" : "start", class: "goalt" }, svg, o.n);
    }
    const path = (points) => points.map((p, i) => (i ? "L" : "M") + X(p[0]).toFixed(1) + "," + Yc(p[1]).toFixed(1)).join("");
    for (const l of seen) {
      if (l.p.length < 2 || !l.p.some((p) => p[3] > p[2])) continue;
      const up = l.p.map((p) => [p[0], p[3] ?? p[1]]), down = l.p.map((p) => [p[0], p[2] ?? p[1]]).reverse();
      mk("path", { d: path(up) + "L" + path(down).slice(1) + "Z", class: "band" }, svg).style.fill = colour(l.s);
    }
    for (const l of seen) {
      // null breaks a line where nobody measured.
      let d = "";
      if (l.f === "step") l.p.forEach((p, i) => { d += i ? `H${X(p[0])}V${Yc(p[1])}` : `M${X(p[0])},${Yc(p[1])}`; });
      else d = l.g ? l.p.map((p, i) => (i && p[0] - l.p[i - 1][0] <= l.g ? "L" : "M") + X(p[0]).toFixed(1) + "," + Yc(p[1]).toFixed(1)).join("") : path(l.p);
      const line = mk("path", { d, class: "line" + (l.d ? " dash" : "") + (l.s === null ? " front" : "") }, svg);
      line.style.stroke = colour(l.s);
      if (view.free) continue;
      if (l.s !== null && !l.d) for (const p of l.p) {
        if (l.p.length === 1 && p[3] > p[2]) mk("line", { x1: X(p[0]), x2: X(p[0]), y1: Yc(p[2]), y2: Yc(p[3]), class: "whisker" }, svg);
        const m = mk("path", { d: SHAPES[D.series[l.s].m](X(p[0]), Yc(p[1]), 4.5), class: "mark" + (p[5] ? " doubt" : "") }, svg);
        m.style.fill = p[5] ? "var(--bg)" : colour(l.s);
        if (p[5]) m.style.stroke = colour(l.s);
      }
    }
    const cross = mk("line", { y1: box.t, y2: box.b, class: "cross", visibility: "hidden" }, svg);
    const real = seen.filter((l) => l.s !== null);
    const stops = view.free
      ? Array.from({ length: 41 }, (_, i) => (view.xl ? x0 * (x1 / x0) ** (i / 40) : x0 + ((x1 - x0) * i) / 40))
      : [...new Set(real.flatMap((l) => l.p.map((p) => p[0])))].sort((a, b) => a - b);
    let at = -1;
    const show = (v) => {
      const x = X(v);
      cross.setAttribute("x1", x); cross.setAttribute("x2", x); cross.setAttribute("visibility", "visible");
      const rows = [];
      for (const l of real) {
        const first = l.p[0][0], end = l.p[l.p.length - 1][0];
        let p;
        if (!view.free) p = l.p.find((q) => q[0] === v);
        else if (v >= first && v <= end) p = l.p.reduce((a, b) => (Math.abs(b[0] - v) < Math.abs(a[0] - v) ? b : a));
        if (p) rows.push([l.s, name(l) + (l.d ? ", " + l.d : ""), fmt(p[1]) + (view.u ? " " + view.u : ""), said(v, p)]);
      }
      const within = (view.b || []).filter(([a, b]) => v >= a && v <= b).map((b) => b[2]);
      const place = `${view.x ? exact(v) : fmt(v)} ${view.xu || ""}`;
      tip.show(x * plot.clientWidth / box.W, plot.clientWidth, [place, ...within].join(" · "), rows);
    };
    const hide = () => { tip.hide(); cross.setAttribute("visibility", "hidden"); at = -1; };
    pointed(svg, hide, (e) => {
      const q = svg.getBoundingClientRect(), mx = ((e.clientX - q.left) * box.W) / q.width;
      if (view.free) {
        const share = Math.max(0, Math.min(1, (mx - box.l - 12) / (box.r - box.l - 24)));
        show(view.xl ? x0 * (x1 / x0) ** share : x0 + (x1 - x0) * share);
      } else if (stops.length) show(stops.reduce((a, b) => (Math.abs(X(b) - mx) < Math.abs(X(a) - mx) ? b : a)));
    });
    svg.addEventListener("keydown", (e) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (e.key === "Escape") hide();
      if (!by || !stops.length) return;
      e.preventDefault();
      at = Math.max(0, Math.min(stops.length - 1, at < 0 ? (by > 0 ? 0 : stops.length - 1) : at + by));
      show(stops[at]);
    });
  }

  function drawBar(plot, chart, panel, view) {
    const seen = view.s.filter((l) => !hidden.has(l.s) && l.p.length);
    const { svg, box, sim } = frame(plot, chart, panel, view, 266, 58);
    box.b = box.H - 28;
    if (!seen.length) return;
    const [lo, hi] = range(seen, (p) => [p[1], p[2] ?? p[1], p[3] ?? p[1]]);
    const values = ticks(Math.min(0, lo), hi * 1.08 || 1, false, 5);
    const Y = scale(values[0], values[values.length - 1], box.b, box.t, false);
    grid(svg, box, values, Y, false);
    const tip = tooltip(plot), slot = (box.r - box.l) / seen.length, w = Math.min(84, slot * 0.7);
    seen.forEach((l, i) => {
      const [, v, low, high] = l.p[0], x = box.l + slot * (i + 0.5);
      const g = mk("g", {}, svg), y = Math.min(Y(v), Y(0));
      mk("rect", { x: x - w / 2, y, width: w, height: Math.abs(Y(v) - Y(0)) }, g).style.fill = colour(l.s);
      if (high > low) mk("path", { d: `M${x},${Y(low)}V${Y(high)}M${x - 5},${Y(low)}h10M${x - 5},${Y(high)}h10`, class: "whisker" }, g);
      mk("text", { x, y: Math.min(Y(high ?? v), Y(0)) - 6, "text-anchor": "middle", class: "lab" }, g, fmt(v));
      const room = Math.floor(slot / 7), label = name(l);
      mk("text", { x, y: box.b + 18, "text-anchor": "middle" }, g, label.length > room ? label.slice(0, Math.max(1, room - 1)) + "…" : label);
      pointed(g, () => tip.hide(), () => tip.show(x, plot.clientWidth, label, [[l.s, panel.t, fmt(v) + " " + view.u, said(0, l.p[0])]]));
    });
    mk("line", { x1: box.l, x2: box.r, y1: Y(0), y2: Y(0), class: "axis" }, svg);
    sim();
    let at = -1;
    svg.addEventListener("keydown", (e) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (e.key === "Escape") tip.hide();
      if (!by) return;
      e.preventDefault();
      at = Math.max(0, Math.min(seen.length - 1, at + by));
      const l = seen[at];
      tip.show(box.l + slot * (at + 0.5), plot.clientWidth, name(l), [[l.s, panel.t, fmt(l.p[0][1]) + " " + view.u, said(0, l.p[0])]]);
    });
    svg.addEventListener("blur", () => tip.hide());
  }

  const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const viridis = (t) => {
    const s = Math.max(0, Math.min(0.9999, t)) * 4, i = Math.floor(s), f = s - i;
    return VIRIDIS[i].map((c, k) => Math.round(c + (VIRIDIS[i + 1][k] - c) * f));
  };
  // Relative luminance (WCAG 2.2); at 0.179 black and white are read equally well, at 4.58 to 1.
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => c.reduce((sum, v, k) => sum + [0.2126, 0.7152, 0.0722][k] * linear(v / 255), 0);

  function drawHeat(plot, chart, panel, view) {
    const rowH = 34, longest = Math.max(...view.cy.map((s) => s.length));
    const { svg, box, sim } = frame(plot, chart, panel, view, view.cy.length * rowH + 62, Math.min(140, 24 + longest * 7));
    const cells = view.s.flatMap((l) => l.p), known = cells.filter((c) => c[2] > 0).map((c) => c[2]);
    const lo = Math.min(...known), hi = Math.max(...known), w = (box.r - box.l) / view.cx.length;
    view.cy.forEach((c, i) => mk("text", { x: box.l - 8, y: box.t + rowH * (i + 0.5) + 4, "text-anchor": "end" }, svg, c));
    view.cx.forEach((c, i) => mk("text", { x: box.l + w * (i + 0.5), y: box.t + view.cy.length * rowH + 18, "text-anchor": "middle" }, svg, c));
    for (const [x, y, v] of cells) {
      const has = v > 0, t = has && hi > lo ? Math.log(v / lo) / Math.log(hi / lo) : 0.5, c = viridis(t);
      const cell = mk("g", {}, svg);
      const r = mk("rect", { x: box.l + w * x + 1, y: box.t + rowH * y + 1, width: Math.max(1, w - 2), height: rowH - 2, class: "grid" }, cell);
      r.style.fill = has ? `rgb(${c.join()})` : "var(--card)";
      const text = mk("text", { x: box.l + w * (x + 0.5), y: box.t + rowH * (y + 0.5) + 5, "text-anchor": "middle" }, cell, has ? fmt(v) : "×");
      if (has) text.style.fill = light(c) > 0.179 ? "#000" : "#fff";
    }
    mk("text", { x: (box.l + box.r) / 2, y: box.t + view.cy.length * rowH + 40, "text-anchor": "middle", class: "lab" }, svg, view.xn);
    sim();
  }

  function drawLanes(plot, chart, panel, view) {
    const lanes = view.s[0].p, rowH = Math.max(6, Math.min(12, 420 / lanes.length)), s = view.s[0].s;
    const { svg, box, sim } = frame(plot, chart, panel, view, lanes.length * rowH + 64, 40);
    // Panels that show the same load share their time.
    const same = chart.panels.flatMap((p) => p.v).filter((v) => v.n === view.n).flatMap((v) => v.s[0].p);
    const end = Math.max(...same.map((p) => Math.max(p[0], p[1] ?? 0, p[2] ?? 0, p[3] ?? 0)), 0.001);
    const all = ticks(0, end, false, Math.max(3, Math.floor(box.W / 90))), X = scale(0, end, box.l, box.r, false);
    bottom(svg, box, all.filter((v) => v <= end * 1.0001), X, view.xn);
    const tip = tooltip(plot), bar = (a, b, i, cls, o) => {
      if (a == null || b == null || b < a) return;
      const r = mk("rect", { x: X(a), y: box.t + rowH * i + 0.5, width: Math.max(0.8, X(b) - X(a)), height: rowH - 1.4, class: cls }, svg);
      if (o) { r.style.fill = colour(s); r.style.opacity = o; }
    };
    lanes.forEach(([due, sent, first, last, note], i) => {
      bar(due, sent, i, "wait");
      bar(sent, first ?? last, i, "", 0.42);
      bar(first, last, i, "", 1);
      if (note) mk("text", { x: X(Math.max(due, sent ?? 0, first ?? 0, last ?? 0)) + 3, y: box.t + rowH * (i + 1) - 1, class: "bad", "font-size": rowH + 2 }, svg, "×");
      if (i % 10 === 0) mk("text", { x: box.l - 6, y: box.t + rowH * i + 9, "text-anchor": "end" }, svg, String(i + 1));
    });
    sim();
    const ms = (a, b) => (a == null || b == null ? "–" : fmt((b - a) * 1000) + " ms");
    const show = (i) => {
      const [due, sent, first, last, note] = lanes[i];
      tip.show(X(due), plot.clientWidth, `request ${i + 1}${note ? ": " + note : ""}`, [
        [undefined, "waited", ms(due, sent)], [undefined, "to first token", ms(sent, first)], [undefined, "first to last token", ms(first, last)]]);
    };
    let at = -1;
    pointed(svg, () => tip.hide(), (e) => {
      const q = svg.getBoundingClientRect(), i = Math.floor(((e.clientY - q.top) * box.H / q.height - box.t) / rowH);
      if (i >= 0 && i < lanes.length) show(i); else tip.hide();
    });
    svg.addEventListener("keydown", (e) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      if (e.key === "Escape") tip.hide();
      if (!by) return;
      e.preventDefault();
      at = Math.max(0, Math.min(lanes.length - 1, at + by));
      show(at);
    });
  }

  const DRAW = { line: drawLine, bar: drawBar, heat: drawHeat, lanes: drawLanes };

  // The same values as a table.
  function table(view, title, parent) {
    const scroll = el("div", "scroll", parent), t = el("table", "", scroll);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", title);
    el("caption", "unseen", t, title);
    const head = el("tr", "", el("thead", "", t)), body = el("tbody", "", t);
    const put = (row, v, text) => { const c = el("td", typeof v === "number" ? "n" : "", row, text ?? (typeof v === "number" ? fmt(v) : v)); if (typeof v === "number") c.dataset.v = v; };
    const heads = { lanes: ["Request", "Due (s)", "Sent (s)", "First token (s)", "Last token (s)", "Note"],
      heat: [view.xn, view.yn || "", view.u], bar: ["Configuration", view.u || "Value", "Lowest", "Highest"],
      line: ["Configuration", view.xn, view.u || "Value", "Lowest", "Highest", "Note"] }[view.k];
    for (const h of heads) el("th", "", head, h).scope = "col";
    for (const l of view.s) {
      if (l.s === null) continue;
      const every = view.k === "line" && l.p.length > 60 ? Math.ceil(l.p.length / 30) : 1;
      l.p.forEach((p, i) => {
        if (i % every && i !== l.p.length - 1) return;
        const row = el("tr", "", body);
        if (view.k === "lanes") { put(row, i + 1, String(i + 1)); p.slice(0, 4).forEach((v) => put(row, v ?? "–")); put(row, p[4] || ""); return; }
        if (view.k === "heat") { put(row, view.cx[p[0]]); put(row, view.cy[p[1]]); put(row, p[2] > 0 ? p[2] : "–"); return; }
        put(row, name(l) + (l.d ? ", " + l.d : ""));
        if (view.k === "line") put(row, p[0], view.x ? exact(p[0]) : fmt(p[0]));
        put(row, p[1]); put(row, p[2] ?? p[1]); put(row, p[3] ?? p[1]);
        if (view.k === "line") put(row, [p[4] || "", WORDS[p[5] || 0]].join(" ").trim());
      });
    }
    sortable(t);
  }

  function sortable(t) {
    const heads = [...t.tHead.rows[0].cells];
    heads.forEach((h, i) => {
      const button = el("button", "", null, h.textContent);
      button.type = "button";
      h.replaceChildren(button);
      button.addEventListener("click", () => {
        const d = h.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((x) => x.removeAttribute("aria-sort"));
        h.setAttribute("aria-sort", d > 0 ? "ascending" : "descending");
        const key = (r) => r.cells[i].dataset.v ?? r.cells[i].textContent;
        const order = (a, b) => {
          const [x, y] = [key(a), key(b)];
          // What is missing stays last.
          const [p, q] = [x, y].map((v) => v.startsWith("–"));
          if (p || q) return p - q;
          const n = +x - +y;
          return d * (Number.isNaN(n) ? String(x).localeCompare(String(y)) : n);
        };
        for (const r of [...t.tBodies[0].rows].sort(order)) t.tBodies[0].append(r);
      });
    });
  }

  function build(chart) {
    const host = document.getElementById("chart-" + chart.id);
    // Without scripts its heading would stand over nothing.
    host.closest("section").hidden = false;
    const used = [...new Set(chart.panels.flatMap((p) => p.v.flatMap((v) => v.s.map((l) => l.s))))].filter((s) => s !== null).sort((a, b) => a - b);
    const legend = el("div", "legend", host);
    legend.setAttribute("role", "group");
    legend.setAttribute("aria-label", "Shown configurations");
    const dress = [];
    for (const s of used) {
      const b = el("button", "", legend);
      b.type = "button";
      const mark = mk("svg", { width: 26, height: 14, "aria-hidden": "true" }, b);
      const strokes = [mk("path", { d: "M0,7H26", "stroke-width": 2.5 }, mark), mk("path", { d: SHAPES[D.series[s].m](13, 7, 4.5) }, mark)];
      el("span", "", b, D.series[s].n);
      b.addEventListener("click", () => {
        if (hidden.has(s)) hidden.delete(s); else if (used.some((o) => o !== s && !hidden.has(o))) hidden.add(s);
        redraws.forEach((f) => f());
      });
      dress.push(() => { strokes[0].style.stroke = colour(s); strokes[1].style.fill = colour(s); b.setAttribute("aria-pressed", String(!hidden.has(s))); });
    }
    if (used.length < 2 || chart.panels.every((p) => p.v[0].k === "heat" || p.v[0].k === "lanes")) legend.hidden = true;
    const panels = el("div", "panels n" + Math.min(3, chart.panels.length), host);
    const drawn = chart.panels.map((panel) => {
      const box = el("div", "panel", panels), top = el("div", "top", box), plot = el("div", "plot");
      const title = el("h4", "", top, panel.t), chosen = el("span", "paper", top), note = el("p", "dir", box);
      box.append(plot);
      let view = panel.v[0];
      if (panel.v.length > 1) {
        const pick = el("select", "", top);
        pick.setAttribute("aria-label", "What to show: " + panel.t);
        panel.v.forEach((v, i) => { el("option", "", pick, v.n).value = i; });
        pick.addEventListener("change", () => { view = panel.v[pick.value]; draw(); });
      }
      const details = el("details", "", box);
      const summary = el("summary", "", details, "Data as a table");
      el("span", "unseen", summary, ": " + panel.t);
      const fill = () => { details.querySelector(".scroll")?.remove(); if (details.open) table(view, title.textContent + (view.n ? ", " + view.n : ""), details); };
      details.addEventListener("toggle", fill);
      const draw = () => {
        title.textContent = view.t || panel.t;
        // On paper there is nothing to choose from, only what was chosen.
        chosen.textContent = panel.v.length > 1 && !(view.w || "").includes(view.n) ? view.n : "";
        note.textContent = [view.up === true ? "higher is better ↑" : view.up === false ? "lower is better ↓" : "", view.w || ""].filter(Boolean).join(" · ");
        plot.replaceChildren();
        DRAW[view.k](plot, chart, panel, view);
        fill();
      };
      draw();
      // Drawn in the next frame: drawing changes heights, which the observer must not see while it reports.
      let width = plot.clientWidth;
      new ResizeObserver(() => requestAnimationFrame(() => { if (plot.clientWidth !== width) { width = plot.clientWidth; draw(); } })).observe(plot);
      return draw;
    });
    redraws.push(() => { dress.forEach((f) => f()); drawn.forEach((f) => f()); });
    dress.forEach((f) => f());
  }

  for (const chart of D.charts) {
    try {
      build(chart);
    } catch (e) {
      // The others are drawn all the same.
      el("p", "bad", document.getElementById("chart-" + chart.id), "This chart could not be drawn: " + e.message);
    }
  }
  document.querySelectorAll("table.sort").forEach(sortable);
  night.addEventListener("change", () => redraws.forEach((f) => f()));
  // Paper is white, and what is folded away cannot be opened there.
  const words = [...document.querySelectorAll("details.words:not([open])")];
  const print = (on) => { printing = on; words.forEach((d) => { d.open = on; }); redraws.forEach((f) => f()); };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
