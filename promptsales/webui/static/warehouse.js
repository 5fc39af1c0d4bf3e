// Everything works without this file; it adds live figures, ages, "choose all", and links out of Airflow's frame.
'use strict';

const isFramed = window.parent !== window;

function parentDocument() {
  try {
    return isFramed ? window.parent.document : null;
  } catch {
    return null; // another origin
  }
}

// Airflow's light or dark choice wins over the system's
function followTheme() {
  const root = parentDocument()?.documentElement;
  if (!root) return;
  const apply = () => {
    document.documentElement.dataset.theme = root.classList.contains('dark') ? 'dark' : 'light';
  };
  apply();
  new MutationObserver(apply).observe(root, { attributeFilter: ['class'] });
}

// Airflow's frame may not navigate the window, so a link in the window's own document does
function followAirflowLinks() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a.airflow');
    const outside = parentDocument();
    if (!link || !outside || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const stand_in = outside.createElement('a');
    stand_in.href = link.href;
    outside.body.append(stand_in);
    stand_in.click();
    stand_in.remove();
  });
}

function addAges() {
  for (const time of document.querySelectorAll('main time')) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const [amount, unit] = seconds < 90 ? [seconds, 's'] : seconds < 5400 ? [seconds / 60, 'min'] : seconds < 172800 ? [seconds / 3600, 'h'] : [seconds / 86400, 'd'];
    time.title += `, ${Math.round(amount)} ${unit} ago`;
  }
}

function addChooseAll() {
  for (const all of document.querySelectorAll('input[data-all]')) {
    all.hidden = false;
    all.addEventListener('change', () => {
      for (const box of all.form.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
    });
  }
}

function show(cell, value) {
  const digits = cell.dataset.of === 'spend' ? 2 : 0;
  const text = value === null ? '\u2013' : value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (cell.textContent === text) return;
  cell.textContent = text;
  cell.classList.remove('moved');
  void cell.offsetWidth; // restarts the animation
  cell.classList.add('moved');
}

async function refreshLive(table) {
  if (document.hidden) return;
  const answer = await fetch(table.dataset.live, { headers: { Accept: 'application/json' } });
  if (!answer.ok) return;
  for (const row of await answer.json()) {
    const line = table.querySelector(`tr[data-id="${CSS.escape(row.id)}"]`);
    for (const cell of line?.querySelectorAll('[data-of]') ?? []) show(cell, row[cell.dataset.of]);
  }
}

followTheme();
followAirflowLinks();
addAges();
addChooseAll();
for (const table of document.querySelectorAll('table[data-live]')) {
  setInterval(() => refreshLive(table).catch(() => {}), 2000);
}
