'use strict';
// Timelines: a range of the axis is chosen by dragging, by two sliders or by arrow keys, and only what happened in it is
// listed. A bar leads to its event. Where there are several checks, one is shown at a time.
(() => {
  const root = document.documentElement;
  root.classList.add('js');

  const timeline = (box) => {
    const plot = box.querySelector('.plot'), area = plot.querySelector('.area'), inner = plot.querySelector('.inner');
    const chosen = plot.querySelector('.chosen'), range = box.querySelector('.range'), said = range.querySelector('.said');
    const [from, to] = [range.querySelector('.from'), range.querySelector('.to')];
    const pointed = box.querySelector('.pointed'), zoom = range.querySelector('.zoom');
    const items = [...box.querySelectorAll('.events li')];
    const joints = plot.dataset.scale.split(' ').map((joint) => joint.split(':').map(Number));
    // What is in sight, and what is chosen of the whole axis: places from 0 to 100000.
    let view = [0, 100000], choice = null;
    range.hidden = false;

    const microseconds = (place) => {
      let at = joints.findIndex((joint) => joint[1] >= place);
      at = Math.max(1, at < 0 ? joints.length - 1 : at);
      const [a, b] = [joints[at - 1], joints[at]];
      return a[0] + (b[0] - a[0]) * Math.min(1, (place - a[1]) / Math.max(1, b[1] - a[1]));
    };
    const ms = (place) => (microseconds(place) / 1000).toFixed(microseconds(place) < 10000 ? 1 : 0);
    const told = (count) => count + (count === 1 ? ' event' : ' events');
    const seen = (place) => (place - view[0]) / (view[1] - view[0]) * 100;

    const draw = () => {
      const wide = 100000 / (view[1] - view[0]) * 100;
      inner.setAttribute('x', -view[0] / 1000 * wide / 100 + '%');
      inner.setAttribute('width', wide + '%');
      area.classList.toggle('zoomed', wide > 100);
      const [a, b] = choice ? choice.map(seen) : [0, 0];
      chosen.setAttribute('x', a + '%');
      chosen.setAttribute('width', Math.max(0, b - a) + '%');
      let count = 0;
      for (const item of items) {
        const out = choice && (item.dataset.b < choice[0] || item.dataset.a > choice[1]);
        item.classList.toggle('out', Boolean(out));
        if (!out && !item.classList.contains('group')) count += 1;
      }
      said.textContent = choice ? `${ms(choice[0])} to ${ms(choice[1])} ms: ` + told(count) : told(count);
      zoom.textContent = view[1] - view[0] < 100000 ? 'Zoom out' : 'Zoom in';
      zoom.disabled = !choice && view[1] - view[0] === 100000;
    };
    const choose = (a, b) => {
      choice = a === null ? null : [Math.max(0, Math.min(a, b)), Math.min(100000, Math.max(a, b))];
      if (choice && choice[0] <= 0 && choice[1] >= 100000) choice = null;
      from.value = choice ? choice[0] / 100 : 0;
      to.value = choice ? choice[1] / 100 : 1000;
      draw();
    };

    const place = (event) => {
      const bounds = area.getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - bounds.left) / bounds.width));
      return view[0] + part * (view[1] - view[0]);
    };
    let start = null;
    area.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      start = { x: event.clientX, place: place(event), target: event.target };
      area.setPointerCapture(event.pointerId);
    });
    area.addEventListener('pointermove', (event) => {
      if (start && Math.abs(event.clientX - start.x) > 3) choose(start.place, place(event));
    });
    area.addEventListener('pointerup', (event) => {
      if (start && Math.abs(event.clientX - start.x) <= 3) {
        if (start.target.dataset.e) show(start.target.dataset.e); else choose(null);
      }
      start = null;
    });
    area.addEventListener('pointercancel', () => { start = null; });

    const item = (number) => document.getElementById(plot.dataset.name + '-' + number);
    const show = (number) => {
      const found = item(number);
      if (!found) return;
      box.querySelectorAll('.found').forEach((other) => other.classList.remove('found'));
      for (let up = found; up && up !== box; up = up.parentElement) {
        up.classList.remove('out');
        if (up.tagName === 'DETAILS') up.open = true;
      }
      found.classList.add('found');
      const details = found.querySelector('details');
      if (details) { details.open = true; details.querySelector('summary').focus({ preventScroll: true }); }
      found.scrollIntoView({ block: 'center' });
    };
    area.addEventListener('pointerover', (event) => {
      const found = event.target.dataset && event.target.dataset.e && item(event.target.dataset.e);
      const line = found && found.querySelector('summary, .flat');
      pointed.textContent = line ? line.textContent.replace(/\s+/g, ' ').trim() : '';
    });
    box.querySelector('.events').addEventListener('pointerover', (event) => {
      plot.querySelectorAll('.lit').forEach((bar) => bar.classList.remove('lit'));
      const line = event.target.closest('li[id]');
      const bar = line && plot.querySelector(`[data-e="${line.id.slice(plot.dataset.name.length + 1)}"]`);
      if (bar) bar.classList.add('lit');
    });

    const slide = () => choose(Math.min(from.value, to.value) * 100, Math.max(from.value, to.value) * 100);
    from.addEventListener('input', slide);
    to.addEventListener('input', slide);
    range.querySelector('.clear').addEventListener('click', () => { view = [0, 100000]; choose(null); });
    zoom.addEventListener('click', () => {
      const near = view[1] - view[0] < 100000;
      // A range of nothing would have no width.
      view = near || !choice ? [0, 100000] : [choice[0], Math.max(choice[1], choice[0] + 50)];
      draw();
    });
    box.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') { view = [0, 100000]; choose(null); }
    });
    // On the drawing itself the arrows move the range, and with Shift its end.
    area.setAttribute('tabindex', '0');
    area.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1000, ArrowRight: 1000 }[event.key];
      if (!by) return;
      event.preventDefault();
      const [a, b] = choice || (by > 0 ? [0, 10000] : [90000, 100000]);
      if (!choice) return choose(a, b);
      if (event.shiftKey) return choose(a, Math.max(a + 1000, b + by));
      if (a + by >= 0 && b + by <= 100000) choose(a + by, b + by);
    });
    draw();
  };

  const start = (part) => {
    part.querySelectorAll('.timeline').forEach(timeline);
    select(false);
  };

  // One check at a time, by the fragment of the address.
  const select = (focus) => {
    const links = [...document.querySelectorAll('.tasks a')];
    if (!links.length) return;
    if (!links.some((link) => link.getAttribute('href').startsWith('#'))) {
      links.filter((link) => link.hasAttribute('data-first')).forEach((link) => link.setAttribute('aria-current', 'page'));
      return;
    }
    const name = decodeURIComponent(location.hash.slice(1));
    const own = links.find((link) => link.hash.slice(1) === name);
    const link = own || links.find((one) => one.hasAttribute('data-first')) || links[0];
    for (const one of links) {
      if (one === link) one.setAttribute('aria-current', 'true'); else one.removeAttribute('aria-current');
    }
    for (const section of document.querySelectorAll('.one > .check')) {
      section.classList.toggle('on', section.id === link.hash.slice(1));
    }
    link.scrollIntoView({ block: 'nearest' });
    if (own) window.scrollTo(0, 0);
    if (focus && own) {
      document.getElementById(name + '-title').focus({ preventScroll: true });
    }
  };
  window.addEventListener('hashchange', () => select(true));
  window.labTimelines = { start, select };
  start(document);
  // The browser has gone to the check by then, and away from the result's head.
  window.addEventListener('load', () => setTimeout(() => select(false)));
})();
