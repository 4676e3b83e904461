// What past decisions teach, and how a lead takes one out.
const exampleRow = (example, { load }) => {
  const body = el('div', { class: 'rv-body' },
    el('blockquote', { class: 'rc-text' }, marked(example.text.length > 400 ? `${example.text.slice(0, 400)}…` : example.text)),
    el('div', { class: 'rc-soft' }, marked(words(example.tool))), argumentRows(example.args, example.accepted));
  if (example.retired) body.append(el('div', { class: 'rc-soft' }, `taken out ${clock(example.retired)} by `, marked(example.retired_by || ''), ': ', marked(example.retired_reason)));
  else if (you.lead) body.append(takeOut(example.id, load));
  return el('li', {}, el('div', { class: 'rv-when' }, el('div', {}, clock(example.created)), el('div', {}, 'by ', el('b', {}, marked(example.actor)))), body,
    el('div', {}, wordChip(example.retired ? 'taken out' : example.label, ['approve', 'edit', 'reject', 'respond'])));
};

const you = { lead: false };
settled('GET', '/api/me').then(({ body }) => {
  you.lead = ['lead', 'admin'].includes(body.role);
  listView(element.querySelector('.rc-root'), {
    title: 'Examples', path: '/api/examples', field: 'examples', row: exampleRow,
    empty: 'No decision has been made yet, so nothing is taught. Every decision becomes an example here.',
  });
});
