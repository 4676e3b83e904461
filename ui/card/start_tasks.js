// What only a person can settle, each with what to do next; refuses to guess how anything ended.
const ASKED = { unknown: ['It happened', 'It did not happen'], 'undo unknown': ['It was undone', 'It was not undone'], 'undo failed': ['I undid it by hand'] };

// the head of the page says how many there are, since they stand below all that waits
const tellTasks = ({ tasks }) => dispatchEvent(new CustomEvent('assent:tasks', { detail: tasks.length }));

const taskRow = (task, { show }) => {
  const id = `rv-note-${Math.random().toString(36).slice(2)}`;
  const note = el('input', { type: 'text', id, maxlength: 4000 });
  const problem = el('span', { class: 'rc-problem', role: 'alert' });
  const send = async (path, request) => {
    const { status, body } = await settled('POST', path, request);
    if (status === 200) { show(body.tasks); tellTasks(body); }
    else problem.textContent = body.message;
  };
  const button = (label, handler) => el('button', { type: 'button', class: 'rv-button', on: { click: handler } }, label);
  const settle = (outcome) => send(`/api/tasks/${encodeURIComponent(task.action)}`, { outcome, note: note.value.trim() });
  const thread = String(task.thread).split('/').map(encodeURIComponent).join('/');
  const cancel = () => button('Cancel the case', () => send(`/api/cases/${thread}/cancel`, {}));
  const asked = ASKED[task.kind];
  const ways = {
    stalled: () => [button('Try again', () => send(`/api/cases/${thread}/retry`, {})), cancel()],
    unattended: () => [cancel()],
    stopped: () => [el('a', { class: 'rv-button', href: `${basePath()}/control` }, 'Open Control')],
    undelivered: () => [button('Send it again', () => send(`/api/tasks/${encodeURIComponent(task.subject)}/resend`, {}))],
  }[task.kind] || (() => (asked ? [el('label', { for: id }, 'What you found'), note, button(asked[0], () => settle('done')), asked[1] ? button(asked[1], () => settle('not_done')) : null] : []));
  return el('li', {},
    el('div', { class: 'rv-when' }, task.since ? age(task.since) : ''),
    el('div', { class: 'rv-body' }, el('div', { class: 'rv-title' }, marked(words(task.title || task.tool))), el('div', { class: 'rc-text' }, marked(task.text)),
      task.next ? el('div', { class: 'rv-next' }, task.next) : null,
      argumentRows(task.args, null), el('div', { class: 'rv-actions' }, ways(), problem), task.action ? trailView(task.action) : null),
    el('div', {}, wordChip(task.kind, ['unknown', 'stalled', 'unattended', 'stopped', 'undelivered'])));
};

listView(element.querySelector('.rc-root'), {
  onBody: tellTasks,
  title: 'Needs a person', path: '/api/tasks', field: 'tasks', row: taskRow,
  empty: 'Nothing is stuck. Actions whose outcome is unknown would be listed here.',
});
