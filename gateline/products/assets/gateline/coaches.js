/* Coach stops where couriers board, change or alight: only in the page of a run that has a feed of coaches. */
gl.drawCoachStops = () => {
  const stops = gl.data.coach_stops;
  gl.coachTop = Math.max(0, ...stops.flow);
  const layers = stops.id.map((id, k) => {
    const radius = 3 + 8 * Math.sqrt(stops.flow[k] / (gl.coachTop || 1));
    const layer = new gl.Symbol([stops.lat[k], stops.lon[k]], { renderer: gl.renderer, shape: "square", radius });
    gl.restyle.push(() => layer.setStyle({ color: gl.cssColour("ink"), weight: 1.1, fillColor: gl.cssColour("upstream"), fillOpacity: 0.75 }));
    return gl.hint(layer, () => gl.tip(stops.name[k] + " (coach stop)", gl.coachLines(k)));
  });
  gl.group("coaches", layers.reverse(), true);
};

gl.coachLines = (k) => {
  const stops = gl.data.coach_stops;
  const lines = [gl.trips(stops.flow[k]) + " courier trips a month: " + gl.trips(stops.boarding[k]) + " board, " + gl.trips(stops.changing[k]) + " change, " + gl.trips(stops.alighting[k]) + " alight"];
  if (stops.origin[k] !== null) lines.push("Most from " + stops.origin[k]);
  if (stops.destination[k] !== null) lines.push("Most to " + stops.destination[k]);
  lines.push(gl.number(stops.coaches[k], 0) + " coaches and buses a week");
  if (stops.busy_hours[k] !== null) lines.push("Half of its trips: " + stops.busy_hours[k]);
  return lines;
};

gl.coachLegend = (put) => put((gl.data.coach_stops.n > gl.data.coach_stops.id.length ? "the " + gl.data.coach_stops.id.length + " most used of " + gl.data.coach_stops.n + " coach stops" : "coach stop") + ", area by courier flow", gl.sample("", { background: gl.cssColour("upstream") }));

/* Under the stations, whose ranks must stay legible. */
gl.order.splice(gl.order.indexOf("plan"), 0, "coaches");
gl.planViews.met.unit = " of the flow by rail and coach";

{
  const { drawUpstream, buildPlanBlocks, planLines } = gl;
  gl.planLines = (k) => planLines(k).map((line) => line.replace("rail flow", "flow by rail and coach"));
  gl.drawUpstream = () => {
    gl.drawCoachStops();
    drawUpstream();
  };
  gl.buildPlanBlocks = () => {
    gl.layerBlock("coaches", "Coach stops", gl.coachLegend);
    buildPlanBlocks();
  };
}
