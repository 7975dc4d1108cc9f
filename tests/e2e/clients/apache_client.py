"""A browser before Apache's mod_auth_openidc: signs in on the way to a page and reads it.

Settings come as JSON on standard input; the last line of standard output is `done`. Any surprise ends the process with
an error.
"""

from browser import browse, browser, settings

behind = settings["behind"]
back = browse(f"{behind}/admin/")
page = browser.get(back)
assert (page.status_code, page.text) == (200, "what is behind\n"), (page.status_code, page.text)
assert page.headers["x-person"] == settings["login"], page.headers
# The session is Apache's own now.
again = browser.get(f"{behind}/admin/", allow_redirects=False)
assert again.status_code == 200, again.status_code
# Roles come with the ID token or userinfo: who has not the role is kept out.
refused = browser.get(f"{behind}/vault/", allow_redirects=False)
assert refused.status_code in (401, 403), refused.status_code
# An answer that was not asked for is no way in.
browser.cookies.clear()
forged = browser.get(f"{back.split('?')[0]}?code=forged&state=forged", allow_redirects=False)
assert forged.status_code >= 400, forged.status_code

print("done")
