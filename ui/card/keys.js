// One key per decision, only while nothing is being typed; refuses repeats, modifiers, and everything once switched off.
const KEYS_SETTING = 'assent:keys';

const typing = (target) => target instanceof HTMLElement
  && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

const keysOn = () => localStorage.getItem(KEYS_SETTING) !== 'off';

const switchKeys = (on) => localStorage.setItem(KEYS_SETTING, on ? 'on' : 'off');

const installKeys = (root, press, submit) => {
  if (window.assentKeys) document.removeEventListener('keydown', window.assentKeys);
  window.assentKeys = (event) => {
    if (!root.isConnected || event.defaultPrevented || event.isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      if (root.contains(event.target) && submit()) event.preventDefault();
      return;
    }
    if (event.key === 'Escape') {
      if (press('escape')) event.preventDefault();
      return;
    }
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!keysOn() && event.key !== '?') return;
    if (press(event.key.toLowerCase())) event.preventDefault();
  };
  document.addEventListener('keydown', window.assentKeys);
};

const HELP = [['A', 'approve'], ['E', 'edit, then Ctrl + Enter approves the edit'], ['R', 'reject, then 1 to 6 for the reason'],
  ['T', 'answer the agent instead'], ['S', 'snooze for everybody, then 1 to 3'], ['X', 'escalate to a lead or a person'],
  ['D', 'extend the due time (leads)'], ['K', 'take a held card over (leads)'], ['N', 'next: to the end of your list'], ['U', 'undo the last decision'],
  ['O', 'open what is folded'], ['Esc', 'back'], ['?', 'this help']];

const helpDialog = (onSwitch) => {
  const box = el('input', { type: 'checkbox', id: 'rc-keys-on', on: { change: () => { switchKeys(box.checked); onSwitch(); } } });
  const dialog = el('dialog', { class: 'rc-help', 'aria-label': 'Keys' },
    el('h2', {}, 'Keys'),
    el('dl', {}, HELP.map(([key, text]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, text)])),
    el('label', { for: 'rc-keys-on' }, box, ' Use single keys'),
    el('form', { method: 'dialog' }, el('button', { class: 'rc-button' }, 'Close')));
  return { node: dialog, show: () => { box.checked = keysOn(); dialog.showModal(); } };
};
