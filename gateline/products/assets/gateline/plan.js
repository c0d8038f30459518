/* What only some runs have: stations upstream where an area's flow can be met first, and the interception plan. */
gl.drawUpstream = () => {
  const { upstream } = gl.data;
  gl.upstreamLayers = upstream.name.map((name, k) => {
    const layer = new gl.Symbol([upstream.lat[k], upstream.lon[k]], { renderer: gl.renderer, shape: "triangle", radius: 9 });
    gl.restyle.push(() => layer.setStyle({ color: gl.cssColour("ink"), weight: 1.2, fillColor: gl.cssColour("upstream"), fillOpacity: 1 }));
    return gl.hint(layer, () => gl.tip(name, gl.upstreamLines(k)));
  });
  gl.group("upstream", [], true);
};

gl.upstreamLines = (k) => {
  const { upstream } = gl.data;
  const lines = ["Meets " + gl.percent(upstream.met[k]) + " of the rail flow from " + upstream.area[k], gl.number(upstream.minutes[k], 0) + " min from it"];
  if (upstream.pick[k] !== null) lines.push("Number " + upstream.pick[k] + " of its set; the set so far meets " + gl.percent(upstream.cover[k]));
  return lines;
};

gl.percent = (share) => (share === null ? "not known" : gl.number(100 * share, 0) + " %");

/* Of all areas the sets alone, of one area its nearest stations too. */
gl.upstreamShown = () => {
  const { upstream, links } = gl.data;
  const area = gl.linkView.origin < 0 ? null : links.origins[gl.linkView.origin];
  return upstream.name.map((name, k) => k).filter((k) => (area === null ? upstream.pick[k] !== null : upstream.area[k] === area));
};

gl.showUpstream = () => {
  const group = gl.groups.upstream;
  group.clearLayers();
  for (const k of gl.upstreamShown()) group.addLayer(gl.upstreamLayers[k]);
  gl.reorder();
};

gl.upstreamLegend = (put) => {
  const { upstream } = gl.data;
  put(gl.linkView.origin < 0 ? "picked to meet most of each area's flow" : "from this area, in order:", gl.sample("gl-triangle", { background: gl.cssColour("upstream") }));
  if (gl.linkView.origin < 0) return;
  for (const k of gl.upstreamShown()) {
    const pick = upstream.pick[k] === null ? "" : String(upstream.pick[k]);
    put(upstream.name[k] + ": " + gl.percent(upstream.met[k]) + ", " + gl.number(upstream.minutes[k], 0) + " min", gl.make("span", "gl-sample gl-pick", pick));
  }
};

gl.planViews = {
  worked: { title: "How often worked", unit: " of the shifts", isShare: true },
  met: { title: "Flow met because of it", unit: " of the rail flow", isShare: true },
  unmet: { title: "Flow still unmet", unit: " trips a month", isShare: false },
  moved: { title: "Where flow goes then", unit: " trips a month", isShare: false },
};

gl.drawPlan = () => {
  const { plan } = gl.data;
  gl.planView = "worked";
  gl.planLayers = plan === null ? [] : plan.name.map((name, k) => {
    const layer = new gl.Symbol([plan.lat[k], plan.lon[k]], { renderer: gl.renderer, radius: 14 });
    return gl.hint(layer, () => gl.tip(name, gl.planLines(k)));
  });
  gl.group("plan", [], plan !== null);
  gl.restyle.push(gl.showPlan);
};

gl.planLines = (k) => {
  const { plan } = gl.data;
  const lines = [plan.shifts[k] ? "Worked on " + gl.number(plan.shifts[k], 0) + " shifts (" + gl.percent(plan.worked[k]) + "), " + gl.number(plan.hours[k]) + " hours" : "Not worked"];
  if (plan.met[k]) lines.push(gl.trips(100 * plan.met[k]) + " % of the rail flow is met because of it");
  if (plan.unmet[k] !== null) lines.push(gl.trips(plan.unmet[k]) + " trips a month pass unmet after the response");
  if (plan.moved[k] !== null) lines.push((plan.moved[k] < 0 ? "Loses " : "Gains ") + gl.trips(Math.abs(plan.moved[k])) + " trips a month");
  return plan.shifts[k] ? lines.concat(plan.beside[k]) : lines;
};

gl.planText = (value) => {
  const view = gl.planViews[gl.planView];
  return (view.isShare ? gl.trips(100 * value) + " %" : gl.trips(value)) + view.unit;
};

/* Area of a ring is in proportion to its value; what leaves is dashed. */
gl.showPlan = () => {
  const { plan } = gl.data;
  if (plan === null) return;
  const values = plan[gl.planView];
  const group = gl.groups.plan;
  group.clearLayers();
  gl.planTop = Math.max(0, ...values.map((value) => Math.abs(value || 0)));
  gl.planLayers.forEach((layer, k) => {
    const value = values[k] || 0;
    if (Math.abs(value) < 0.01 * gl.planTop || value === 0) return;
    const colour = gl.cssColour("plan");
    layer.setRadius(gl.planRadius(value));
    layer.setStyle({ color: colour, weight: 3, dashArray: value < 0 ? "3 4" : null, fillColor: colour, fillOpacity: gl.planView === "worked" ? 0 : 0.15 });
    group.addLayer(layer);
  });
  gl.reorder();
};

gl.planRadius = (value) => 7 + 17 * Math.sqrt(Math.abs(value) / (gl.planTop || 1));

gl.planLegend = (put) => {
  const { plan } = gl.data;
  if (!gl.planTop) put("nothing to show", gl.sample("gl-hollow", {}));
  else {
    const ring = (value, name) => gl.sample("gl-round " + name, { width: gl.planRadius(value) + "px", height: gl.planRadius(value) + "px", border: "2px " + (value < 0 ? "dashed " : "solid ") + gl.cssColour("plan"), boxSizing: "border-box" });
    put(gl.planText(gl.planTop), ring(gl.planTop, ""));
    put(gl.planText(gl.planTop / 4), ring(gl.planTop / 4, ""));
    if (gl.planView === "moved") put("dashed: flow that leaves", ring(-gl.planTop / 4, ""));
  }
  for (const line of plan.lines.slice(0, 3)) gl.note(gl.legends.plan[0], line);
};

gl.note = (list, text) => gl.add(list, gl.make("li", "gl-note", text));

gl.buildPlanBlocks = () => {
  const { upstream, plan } = gl.data;
  if (upstream.name.length) gl.layerBlock("upstream", "Meet it upstream", gl.upstreamLegend);
  if (plan === null) return;
  gl.layerBlock("plan", "Interception plan", gl.planLegend, (box) => {
    const has = (name) => plan[name].some((value) => value !== null && value !== 0);
    const views = Object.keys(gl.planViews).filter((name) => name === "worked" || has(name));
    gl.chooser(box, "gl-plan-view", "Show", views.map((name) => [name, gl.planViews[name].title]), (value) => {
      gl.planView = value;
      gl.showPlan();
      gl.fillLegends();
    });
  });
};
