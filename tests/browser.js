// What browser.py asks of a page, on which this is loaded before its own scripts.
window.checks = {
  // Scripts have done what they do when the page is loaded or changed.
  settled: () => new Promise((done) => {
    const state = () => document.readyState + document.documentElement.outerHTML.length;
    const look = (before) => {
      if (document.readyState === "complete" && before === state()) done();
      else setTimeout(look, 400, state());
    };
    look();
  }),

  unfold() {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    for (const fold of document.querySelectorAll(".toggle-hidden")) fold.classList.remove("toggle-hidden");
    for (const moving of document.getAnimations()) moving.cancel();
  },

  // Another entry of each menu of widgets is chosen: something else must be in sight.
  async menus() {
    const menus = [...document.querySelectorAll(".jupyter-widgets select")], wrong = [];
    const expected = document.querySelector("script[type='application/vnd.jupyter.widget-view+json']");
    if (expected && !menus.length) wrong.push("no menu is shown");
    for (const menu of menus) {
      const views = [...menu.closest(".widget-vbox").querySelectorAll(".widget-html")];
      const seen = () => views.filter((view) => view.checkVisibility()).map((view) => view.innerHTML).join();
      const before = seen();
      menu.selectedIndex = menu.options.length - 1;
      menu.dispatchEvent(new Event("change", { bubbles: true }));
      for (let wait = 0; wait < 50 && before === seen(); wait++)
        await new Promise((done) => setTimeout(done, 100));
      if (!before || before === seen()) wrong.push(`a menu changes nothing: ${menu.innerText}`);
    }
    return wrong;
  },

  // The charts of Explore: something in them has a colour.
  charts() {
    const places = [...document.querySelectorAll(".explore-matrix, .explore-bars, .explore-scatter")];
    const drawn = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
    const empty = places.filter((place) => ![...place.querySelectorAll("canvas")].some(drawn));
    return empty.map((place) => `not drawn: ${place.className}`);
  },

  wide: () => (document.scrollingElement.scrollWidth > innerWidth ? ["scrolls sideways"] : []),

  async accessible() {
    // Not ours: two buttons of the theme, whose labels are not what is written on them, and docutils'
    // list of references, the items of which have a role that ARIA has given up.
    const exclude = [[".search-button-field"], [".theme-switch-button"], [".citation-list"]];
    const { violations } = await axe.run({ exclude }, { preload: false, resultTypes: ["violations"] });
    const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    return grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].target} (1 of ${nodes.length})`);
  },

  hits: () => [...document.querySelectorAll("#search-results li a")].map((link) => link.getAttribute("href")),
};
