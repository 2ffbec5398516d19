// Explore: menus and clicks set the parameters of the page's Vega-Lite charts; nothing is drawn here.
(() => {
  const room = document.querySelector(".explore");
  const { charts, columns: table, measures, edition } = JSON.parse(room.querySelector("[type='application/json']").textContent);
  const pairs = table.data.map((row) => Object.fromEntries(row.map((cell, i) => [table.columns[i], cell])));
  const menus = Object.fromEntries([...room.querySelectorAll("select")].map((menu) => [menu.name, menu]));
  const shown = (number) => (number == null ? "–" : number.toFixed(1).replace("-", "−"));
  const titles = Object.fromEntries([...menus.measure.options].map((option) => [option.value, option.textContent]));
  let views = [];

  function set(chosen) {
    for (const [name, value] of Object.entries(chosen))
      if ([...menus[name].options].some((option) => option.value === value)) menus[name].value = value;
    for (const view of views) {
      for (const [name, menu] of Object.entries(menus)) view.signal(name, menu.value);
      view.runAsync();
    }
    tell(menus.train.value, menus.evaluate.value);
  }

  function tell(train, evaluate) {
    const cell = pairs.find((pair) => pair.train === train && pair.evaluate === evaluate) ?? {};
    const known = Object.entries(measures).filter(([key]) => cell[`${key} value`] != null);
    const rows = known.map(([key]) => {
      const of = (name) => cell[`${key} ${name}`];
      const interval = of("low") == null ? "–" : `${shown(of("low"))} to ${shown(of("high"))}`;
      return [titles[key], shown(of("value")), interval, measures[key] ? of("seeds") : "–", shown(of("paper"))];
    });
    const body = room.querySelector(".explore-cell tbody");
    body.replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      line.append(...row.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
      return line;
    }));
    const name = (menu) => menu.selectedOptions[0].textContent;
    room.querySelector(".explore-cell caption").textContent = `Fine-tuned on ${name(menus.train)}, evaluated on ${name(menus.evaluate)}`;
    const task = measures[menus.measure.value];
    room.querySelector("code").textContent = task
      ? `crosslingual verify --edition ${edition} --task ${task} --train ${train} --evaluate ${evaluate}` : "–";
    for (const place of room.querySelectorAll("[data-says]")) place.textContent = name(menus[place.dataset.says]);
  }

  async function draw() {
    const ink = getComputedStyle(room).color, letters = { labelColor: ink, titleColor: ink, labelLimit: 220 };
    const config = { background: "transparent", axis: { ...letters, domainColor: ink, tickColor: ink, gridColor: "#88888844" }, legend: letters, view: { stroke: null } };
    const options = { config, renderer: "canvas", logLevel: vega.Error, actions: { export: true, source: false, compiled: false, editor: false } };
    views = await Promise.all(Object.entries(charts).map(async ([name, chart]) => {
      const place = room.querySelector(`.explore-${name}`);
      const { view } = await vegaEmbed(place, { ...chart, datasets: { pairs } }, options);
      place.querySelector("summary")?.setAttribute("aria-label", "Save this chart");
      view.addEventListener("click", (_, item) => item?.datum?.train && set({ train: item.datum.train, evaluate: item.datum.evaluate }));
      return view;
    }));
    set({});
  }

  room.addEventListener("change", () => set({}));
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  draw();
  set({ train: 'en', evaluate: 'de' });
})();
