// Who is signed in, light or dark, and the way out; refuses to show anything the session did not say.
const THEME_SETTING = 'assent:theme';
const bar = element.querySelector('.rc-root');

const themeButton = el('button', { type: 'button', on: { click: () => {
  const dark = document.body.classList.toggle('dark');
  localStorage.setItem(THEME_SETTING, dark ? 'dark' : 'light');
  paintTheme();
} } });
const paintTheme = () => { themeButton.textContent = document.body.classList.contains('dark') ? 'Light' : 'Dark'; };

const signOut = async () => {
  try {
    await fetch(`${basePath()}/sign-out`, { method: 'POST', credentials: 'same-origin' });
  } finally {
    location.assign(`${basePath()}/sign-in`);
  }
};

const wish = localStorage.getItem(THEME_SETTING);
if (wish) document.body.classList.toggle('dark', wish === 'dark');
paintTheme();
fill(bar, el('h1', { class: 'tb-name' }, 'Assent'), themeButton);
settled('GET', '/api/me').then(({ status, body }) => {
  if (status !== 200) return;
  fill(bar, el('h1', { class: 'tb-name' }, 'Assent'), el('span', {}, el('b', {}, body.name), el('span', { class: 'tb-role' }, ` · ${body.role}`)),
    ['lead', 'admin'].includes(body.role) ? el('a', { class: 'tb-stop', href: `${basePath()}/control` }, 'Stop…') : null,
    themeButton, el('button', { type: 'button', on: { click: signOut } }, 'Sign out'));
});
