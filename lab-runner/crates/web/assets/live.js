'use strict';
// Looks again whenever something was recorded, and takes in the parts that are otherwise than before.
(() => {
  const state = document.createElement('span');
  state.className = 'live';
  const place = document.querySelector('.crumbs, .top .facts');
  if (place) place.append(state);
  let looking = false, again = false;

  const takeIn = (old, now) => {
    const open = [...old.querySelectorAll('details[open]')].map((one) => one.closest('li[id]')).filter(Boolean);
    old.innerHTML = now.innerHTML;
    old.dataset.hash = now.dataset.hash;
    window.labTimelines.start(old);
    for (const { id } of open) {
      const details = document.getElementById(id)?.querySelector('details');
      if (details) details.open = true;
    }
  };
  const look = async () => {
    if (looking) { again = true; return; }
    looking = true;
    try {
      const answer = await fetch(location.pathname, { cache: 'no-store' });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const old of document.querySelectorAll('[data-live]')) {
        const now = fresh.querySelector(`[data-live="${old.dataset.live}"]`);
        if (now && now.dataset.hash !== old.dataset.hash) takeIn(old, now);
      }
    } catch {
      // It has ended, which the other connection tells.
    } finally {
      looking = false;
      if (again) { again = false; look(); }
    }
  };
  const source = new EventSource('/' + location.pathname.split('/')[1] + '/changes');
  source.onopen = () => { state.textContent = '● live'; };
  source.onerror = () => { state.textContent = '○ cargo lab web has ended'; };
  source.onmessage = look;
})();
