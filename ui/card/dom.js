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

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

const words = (name) => {
  const text = String(name).replace(/[_-]+/g, ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const age = (iso) => {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 60000));
  if (!Number.isFinite(minutes)) return '';
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 2880) return `${Math.round(minutes / 60)} h ago`;
  return `${Math.round(minutes / 1440)} days ago`;
};

const due = (iso) => {
  const minutes = Math.round((Date.parse(iso) - Date.now()) / 60000);
  if (minutes < 0) return 'overdue';
  if (minutes < 1) return 'due in less than a minute';
  if (minutes < 120) return `due in ${minutes} min`;
  return `due in ${Math.round(minutes / 60)} h`;
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
