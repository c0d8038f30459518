/* Shapes and labels on canvas: numbered stations, square towns, and names that make way for each other. */
L.Canvas.include({
  _updateGateline(layer) {
    if (!this._drawing || layer._empty()) return;
    const ctx = this._ctx;
    const at = layer._point;
    const size = layer._radius;
    ctx.beginPath();
    if (layer.options.shape === "square") ctx.rect(at.x - size, at.y - size, 2 * size, 2 * size);
    else if (layer.options.shape === "triangle") {
      ctx.moveTo(at.x, at.y - size);
      ctx.lineTo(at.x + 0.87 * size, at.y + 0.6 * size);
      ctx.lineTo(at.x - 0.87 * size, at.y + 0.6 * size);
      ctx.closePath();
    } else ctx.arc(at.x, at.y, size, 0, Math.PI * 2, false);
    this._fillStroke(ctx, layer);
    if (!layer.options.text || !layer.options.fillColor) return;
    ctx.globalAlpha = 1;
    ctx.fillStyle = gl.inkOn(layer.options.fillColor);
    ctx.font = "bold " + Math.round(size * 1.15) + "px system-ui, sans-serif";
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(layer.options.text, at.x, at.y + 0.5);
  },
});

gl.Symbol = L.CircleMarker.extend({
  _updatePath() {
    this._renderer._updateGateline(this);
  },
});

/* names: {text, lat, lon, zoom, weight, gap}; drawn heaviest first, and only where there is room. */
gl.Labels = L.Layer.extend({
  initialize(names) {
    this._names = names.slice().sort((a, b) => b.weight - a.weight || (a.text < b.text ? -1 : 1));
  },
  onAdd(map) {
    this._canvas = L.DomUtil.create("canvas", "gl-labels leaflet-zoom-hide");
    map.getPane("gl-labels").appendChild(this._canvas);
    map.on("moveend zoomend resize", this._draw, this);
    this._draw();
  },
  onRemove(map) {
    this._canvas.remove();
    map.off("moveend zoomend resize", this._draw, this);
  },
  redraw() {
    if (this._map) this._draw();
  },
  _draw() {
    const map = this._map;
    const size = map.getSize();
    const ratio = window.devicePixelRatio || 1;
    const canvas = this._canvas;
    canvas.width = size.x * ratio;
    canvas.height = size.y * ratio;
    canvas.style.width = size.x + "px";
    canvas.style.height = size.y + "px";
    L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.lineJoin = "round";
    ctx.textBaseline = "middle";
    this._place(ctx, map, size);
  },
  _place(ctx, map, size) {
    const zoom = map.getZoom();
    const bounds = map.getBounds().pad(0.02);
    const taken = [];
    const halo = gl.cssColour("halo");
    const ink = gl.cssColour("label");
    const names = this._names
      .filter((name) => zoom >= name.zoom && bounds.contains([name.lat, name.lon]))
      .map((name) => ({ ...name, at: map.latLngToContainerPoint([name.lat, name.lon]) }));
    /* No name may cover the symbol of a place that matters more. */
    for (const name of names) if (name.isStrong) taken.push([name.at.x - name.gap + 3, name.at.y - name.gap + 3, name.at.x + name.gap - 3, name.at.y + name.gap - 3, "", name.at]);
    for (const name of names) {
      ctx.font = (name.isStrong ? "600 13px" : "400 12px") + " system-ui, sans-serif";
      const text = name.text.length > 34 ? name.text.slice(0, 33) + "\u2026" : name.text;
      const box = this._room(name, ctx.measureText(text).width, text, taken, size);
      if (!box) continue;
      taken.push([...box, text, name.at]);
      ctx.lineWidth = 3.5;
      ctx.strokeStyle = halo;
      ctx.strokeText(text, box[0], box[1] + 8);
      ctx.fillStyle = ink;
      ctx.fillText(text, box[0], box[1] + 8);
    }
  },
  /* Right of the symbol, else left, else below; nothing where none is free. */
  _room(name, width, text, taken, size) {
    const { x, y } = name.at;
    for (const [left, top] of [[x + name.gap, y - 8], [x - name.gap - width, y - 8], [x - width / 2, y + name.gap - 2]]) {
      const box = [left, top, left + width, top + 16];
      const isInside = left > 0 && box[2] < size.x;
      if (isInside && !taken.some((other) => this._clash(box, other, text, name.at))) return box;
    }
    return null;
  },
  /* Two of one name close together are a town and its station: the first says it for both. */
  _clash(box, other, text, at) {
    if (other[4] === text && at.distanceTo(other[5]) < 45) return true;
    return box[0] < other[2] + 3 && box[2] > other[0] - 3 && box[1] < other[3] && box[3] > other[1];
  },
});
