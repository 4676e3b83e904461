// Builds DOM from data by textContent only, and talks to the desk; refuses markup, and addresses that come from data.
const el = (tag, options = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'class') node.className = value;
    else if (name === 'on') for (const [type, handler] of Object.entries(value)) node.addEventListener(type, handler);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};

const fill = (node, ...children) => {
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};

const percent = (share, digits = 0) => `${(share * 100).toFixed(digits)}%`;

const shortPercent = (share) => percent(share, share > 0 && share < 0.1 ? 1 : 0);

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

const words = (name) => {
  const text = String(name).replace(/[_-]+/g, ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const CONSEQUENCE_NAMES = ['read', 'reversible', 'costly', 'irreversible'];

// what is not known is shown as the worst
const lookOf = (consequence) => (CONSEQUENCE_NAMES.includes(consequence) ? consequence : 'irreversible');

// a tool's name is told only where the title does not already say it
const toolUnlessTitle = (tool, title) => (words(tool) === words(title || tool) ? '' : String(tool));

const age = (iso) => {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 60000));
  if (!Number.isFinite(minutes)) return '';
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 2880) return `${Math.round(minutes / 60)} h ago`;
  return `${Math.round(minutes / 1440)} days ago`;
};

let skew = 0; // how far the desk's clock is ahead of this one, in milliseconds

const secondsTo = (iso) => {
  const seconds = (Date.parse(iso) - Date.now() - skew) / 1000;
  return Number.isNaN(seconds) ? Infinity : seconds;
};

const span = (seconds) => {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 600) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  return whole < 172800 ? `${Math.round(whole / 3600)} h` : `${Math.round(whole / 86400)} days`;
};

const due = (iso) => (secondsTo(iso) <= 0 ? 'expired' : `due in ${span(secondsTo(iso))}`);

const ticking = (node, paint) => {
  let unseen = 0;
  const timer = setInterval(() => {
    if (node.isConnected) { unseen = -Infinity; paint(node); } else if (unseen === -Infinity || (unseen += 1) > 5) clearInterval(timer);
  }, 1000);
  paint(node);
  return node;
};

const clock = (iso) => {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return '';
  const today = new Date().toDateString() === when.toDateString();
  const time = when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return today ? time : `${when.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${time}`;
};

const basePath = () => {
  const root = window.gradio_config && window.gradio_config.root;
  return root ? new URL(root, location.href).pathname.replace(/\/+$/, '') : '';
};

class Unreachable extends Error {}
class Failing extends Error {}
class SignedOut extends Error {}

const call = async (method, path, body) => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 20000);
  try {
    const response = await fetch(basePath() + path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: stop.signal,
    });
    const sent = Date.parse(response.headers.get('date') || '') + 500;
    if (Math.abs(sent - Date.now()) > 2000) skew = sent - Date.now();
    if (response.status === 401) throw new SignedOut();
    if (response.status === 500) throw new Failing();
    if (response.status > 500 || response.status === 429) throw new Unreachable();
    return { status: response.status, body: await response.json() };
  } catch (problem) {
    throw problem instanceof SignedOut || problem instanceof Failing ? problem : new Unreachable();
  } finally {
    clearTimeout(timer);
  }
};

const settled = async (method, path, body) => {
  try {
    return await call(method, path, body);
  } catch (problem) {
    const message = problem instanceof SignedOut ? 'You are signed out. Sign in again.' : 'The desk cannot be reached. Nothing was changed.';
    return { status: 0, body: { error: 'unreachable', message } };
  }
};
