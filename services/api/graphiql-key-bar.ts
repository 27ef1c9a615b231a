/**
 * A line above the explorer that takes the admin key once, for all tabs and for the documentation, instead of in a header
 * editor for each. The key lives in a variable of the page: not in storage, not in a URL, gone with a reload.
 */
const KEY_BAR = `
<style>
  body { display: flex; flex-direction: column; height: 100vh; }
  #root { flex: 1; min-height: 0; }
  #key-bar { display: flex; gap: 8px; align-items: center; padding: 8px 16px; font: 14px system-ui, sans-serif; background: #f4f5f7; color: #333; }
  #key-bar input { width: 36em; max-width: 50vw; padding: 4px 8px; font: inherit; border: 1px solid #bbb; border-radius: 4px; }
  #key-bar button { padding: 4px 12px; font: inherit; }
</style>
<form id="key-bar">
  <label for="key">Admin key</label>
  <input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="tpk_adm_… (adminKey in endpoints.json)" />
  <button>Use</button>
  <span id="key-state" role="status"></span>
</form>
<script>
  (() => {
    let key = '';
    const fetchAsIs = window.fetch.bind(window);
    window.fetch = (resource, options = {}) => {
      const headers = new Headers(options.headers);
      // What somebody wrote into the header editor is the more explicit statement.
      if (key !== '' && !headers.has('authorization')) headers.set('authorization', 'Bearer ' + key);
      return fetchAsIs(resource, { ...options, headers });
    };
    const state = document.getElementById('key-state');
    document.getElementById('key-bar').addEventListener('submit', async (event) => {
      event.preventDefault();
      key = document.getElementById('key').value.trim();
      const answer = await window.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ viewer { __typename } }"}',
      }).then((response) => response.json(), () => ({ errors: [{ message: 'The server does not answer.' }] }));
      state.textContent = answer.errors ? answer.errors[0].message : 'Ready: run one of the examples.';
      if (!answer.errors) document.querySelector('button[aria-label^="Re-fetch"]')?.click();
    });
  })();
</script>`;

/** The explorer's page with the key bar on top. @throws {Error} when the page has no body, because the package has changed. */
export function withKeyBar(html: string): string {
  const bodyAt = html.indexOf('<body');
  const end = html.indexOf('>', bodyAt);
  if (bodyAt < 0 || end < 0) throw new Error('the GraphiQL page has no body to put the key bar into');
  return html.slice(0, end + 1) + KEY_BAR + html.slice(end + 1);
}
